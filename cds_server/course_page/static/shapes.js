// Shapes that the plotting library lacks: a grade for as long as it stood, and a strip with its words inside.

export const INK = "#1b1f24";
export const FONT = "system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
const GRADES = ["#ffffff", "#a6d8f5", "#f0e442", "#e69f00", "#e4783c"];
const HATCH_STEP = 7;

// Diagonal lines over a rectangle: a pattern, not a colour, says "at least".
function hatch(x, y, width, height) {
  const lines = [];
  for (let from = -height; from < width; from += HATCH_STEP) {
    lines.push({
      type: "line",
      silent: true,
      shape: { x1: x + from, y1: y + height, x2: x + from + height, y2: y },
      style: { stroke: INK, lineWidth: 1, opacity: 0.55 },
    });
  }
  return lines;
}

const LETTER = 6.6; // pixels of a letter of the words in a strip

// The first of some texts that has room, or none: half a word would read as another.
function words(texts, x, y, room, more = {}) {
  const text = texts.find((one) => one && one.length * LETTER <= room);
  if (text === undefined) return [];
  return [{
    type: "text",
    silent: true,
    style: { text, x, y, fill: INK, fontSize: 12, fontFamily: FONT, verticalAlign: "middle", ...more },
  }];
}

const LEAST = 3; // pixels, so that a span is seen however short it is

// The part of a span that lies on the axis. It ends where the span ends: what lasts until now ends at the line of now.
function reach(params, api, span) {
  const box = params.coordSys;
  const right = Math.min(api.coord([span.end, 0])[0], box.x + box.width);
  const left = Math.max(Math.min(api.coord([span.at, 0])[0], right - LEAST), box.x);
  return { left, width: Math.max(right - left, LEAST), top: box.y, height: box.height };
}

const heightOf = (grade, height) => (height * (grade + 0.6)) / 4.6;

// The height of the band if this is CRS, as a dashed line: a state without a grade may be severe.
function ifCrs(span, left, top, width, height) {
  if (!span.gradeIfCrs) return [];
  const y = top + height - heightOf(span.gradeIfCrs, height) + 1;
  return [{ type: "line", silent: true, shape: { x1: left, y1: y, x2: left + width, y2: y }, style: { stroke: INK, lineDash: [4, 3], lineWidth: 1.5 } }];
}

// The band of the grade: as high as the grade, hatched if it is a minimum, dashed with a word if there is none.
export function gradeShape(spans) {
  return (params, api) => {
    const span = spans[params.dataIndex];
    const { left, width, top, height } = reach(params, api, span);
    const clipPath = { type: "rect", shape: { x: left, y: top, width, height } };
    if (span.grade === null) {
      const box = { x: left, y: top + 1, width, height: height - 2 };
      const outline = { fill: "#ffffff", stroke: "#57606a", lineDash: [4, 3], lineWidth: 1 };
      const said = [span.ifCrs ? `${span.short} (${span.ifCrs} if CRS)` : "", span.short, "?"];
      return { type: "group", clipPath, children: [
        { type: "rect", shape: box, style: outline },
        ...ifCrs(span, left, top, width, height),
        ...words(said, left + 4, top + height / 2, width - 6, { fill: "#57606a" }),
      ] };
    }
    const tall = heightOf(span.grade, height);
    const box = { x: left, y: top + height - tall, width, height: tall };
    const label = `${span.minimum ? "≥" : ""}${span.grade}`;
    return { type: "group", clipPath, children: [
      { type: "rect", shape: box, style: { fill: GRADES[span.grade], stroke: INK, lineWidth: 0.75 } },
      ...(span.minimum ? hatch(box.x, box.y, box.width, box.height) : []),
      ...words([label], left + 3, top + height - 9, width - 3, {
        fontWeight: "bold", fontSize: 13, backgroundColor: span.minimum ? "#ffffff" : "transparent", padding: [0, 2],
      }),
    ] };
  };
}

// A strip for as long as it lasted, one below the other by `row`, its words inside.
export function stripShape(strips, fill, rows) {
  return (params, api) => {
    const strip = strips[params.dataIndex];
    const { left, width, top, height } = reach(params, api, strip);
    const tall = height / rows;
    const box = { x: left, y: top + strip.row * tall + 1, width, height: tall - 2 };
    const dashed = strip.dashed ? [4, 3] : null;
    return { type: "group", clipPath: { type: "rect", shape: box }, children: [
      { type: "rect", shape: box, style: { fill: strip.dashed ? "#ffffff" : fill(strip), stroke: "#57606a", lineDash: dashed, lineWidth: 1 } },
      ...words([strip.label, strip.short], left + 4, box.y + box.height / 2, width - 6),
    ] };
  };
}
