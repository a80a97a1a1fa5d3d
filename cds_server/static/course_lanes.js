// The lanes of the picture, from above, as options of ECharts: one grid each on one axis of time.

import { INK, gradeShape, stripShape } from "./course_shapes.js";

const QUIET = "#57606a";
const LINE = "#d0d7de";
const BLUE = "#0072b2";
const OXYGEN = ["#ffffff", "#e3f1fa", "#cbe6f7", "#e6c98f", "#e8a98a"];
const GAP_MS = 12 * 3600 * 1000; // what is further apart is not joined by a line
const SYMBOLS = { baseline: "diamond", peak: "triangle", counted: "circle" };
const MARGIN = 0.05; // of the axis, beside the line of now
const NARROW = 600; // pixels
const DOSE_ROOM = 70; // pixels for the label of a dose
const TITLE = 18; // pixels above a lane for its name

function scatter(marks, symbol = () => "circle", more = {}) {
  const size = marks.length > 250 ? 4 : 8;
  return {
    type: "scatter",
    data: marks.map((mark) => ({
      value: [mark.at, mark.drawn ?? mark.value],
      symbol: symbol(mark),
      symbolSize: ["baseline", "peak"].includes(mark.use) ? 13 : size,
      ...(mark.style ? { itemStyle: mark.style } : {}),
      ...(mark.label ? { label: mark.label } : {}),
    })),
    itemStyle: { color: BLUE },
    labelLayout: { hideOverlap: true },
    emphasis: { scale: 1.4, itemStyle: { borderColor: INK, borderWidth: 2 } },
    ...more,
  };
}

const nowOf = (spans, words) => {
  const found = spans.filter((span) => span.isNow).map(words);
  return found.length ? `now: ${found.join(", ")}` : "";
};

// The thin line between marks that are near each other, and what stands on every lane: infusion, doses, limit.
function frame(marks, lane, data) {
  const points = [];
  marks.forEach((mark, n) => {
    if (n && mark.at - marks[n - 1].at > GAP_MS) points.push([marks[n - 1].at + 1, null]);
    points.push([mark.at, mark.drawn ?? mark.value]);
  });
  const upright = [
    ...data.infused.map((at) => ({ xAxis: at, lineStyle: { color: QUIET, type: "solid", width: 1 }, label: { show: false } })),
    { xAxis: data.end, lineStyle: { color: INK, type: [2, 2], width: 1 }, label: { show: lane === undefined, formatter: "now", color: INK, fontSize: 11, distance: 2 } },
    ...data.doses.map((at) => ({ xAxis: at, lineStyle: { color: "#882255", type: "dashed", width: 1 }, label: { show: false } })),
  ];
  const limit = lane?.limit == null ? [] : [{
    yAxis: lane.limit,
    lineStyle: { color: "#b3261e", type: [6, 3], width: 1.25 },
    label: { show: true, position: "insideStartTop", formatter: lane.limitWords, color: "#8c1d18", fontSize: 11, textBorderColor: "#ffffff", textBorderWidth: 3 },
  }];
  return {
    type: "line", silent: true, data: points, symbol: "none", lineStyle: { color: BLUE, width: 1, opacity: 0.5 }, z: 1,
    markLine: { silent: true, symbol: "none", animation: false, data: [...upright, ...limit] },
  };
}

// A linear scale that holds the marks and the limit with some room.
function scale(marks, limits, least) {
  const values = [...marks.map((mark) => mark.value), ...limits].filter((value) => value != null);
  const room = Math.max((Math.max(...values) - Math.min(...values)) * 0.12, least);
  const ends = { showMinLabel: false, showMaxLabel: false }; // they are no round numbers
  return { min: Math.floor(Math.min(...values) - room), max: Math.ceil(Math.max(...values) + room), axisLabel: ends };
}

const placed = (lane) => lane.marks.filter((mark) => mark.value != null);

function temperatureLane(data) {
  const lane = data.lanes.temperature;
  const marks = placed(lane);
  return marks.length && {
    title: "Temperature, °C", height: 92, marks, yAxis: { ...scale(marks, [lane.limit], 0.4), interval: 1, axisLabel: {} },
    series: [frame(marks, lane, data), scatter(marks)],
  };
}

// A sample that was not counted is hollow, one below or above a limit an arrow.
function labMarks(lane, lowest, half) {
  return placed(lane).map((mark) => {
    const counted = mark.use in SYMBOLS;
    const named = mark.use === "baseline" || mark.use === "peak";
    return {
      ...mark,
      drawn: Math.max(mark.value, lowest),
      style: { color: counted ? BLUE : "#ffffff", borderColor: BLUE, borderWidth: 1.5 },
      label: named && {
        show: true, formatter: `${mark.use} ${mark.text}`, position: mark.at > half ? "left" : "right", color: INK, fontSize: 11,
        textBorderColor: "#ffffff", textBorderWidth: 3,
      },
    };
  });
}

function labSeries(marks, lane, data) {
  return [frame(marks, lane, data), scatter(marks, (mark) => (/^[<>]/.test(mark.text) ? "arrow" : SYMBOLS[mark.use] ?? "circle"))];
}

function il6Lane(data, half) {
  const lane = data.lanes.il6;
  const above = placed(lane).map((mark) => mark.value).concat(lane.limit ?? []).filter((value) => value > 0);
  if (!placed(lane).length) return null;
  const lowest = 10 ** Math.floor(Math.log10(Math.min(...above, 10)));
  const highest = 10 ** Math.ceil(Math.log10(Math.max(...above, 10) * 1.3));
  const marks = labMarks(lane, lowest, half);
  const series = labSeries(marks, lane, data);
  if (data.il6Until !== null) {
    series[0].markArea = {
      silent: true,
      itemStyle: { color: "#57606a", opacity: 0.16 },
      data: [[{ xAxis: data.il6Until }, { xAxis: data.end + (data.end - data.start) * MARGIN }]],
    };
  }
  return {
    title: `IL-6, ${lane.unit} (log)`, note: data.il6Until === null ? "" : "shaded: no longer counts (rises after tocilizumab)", noteShort: "shaded: no longer counts",
    height: 120, marks, series, yAxis: { type: "log", min: lowest, max: highest, axisLabel: { formatter: (value) => (value >= 1000 ? `${value / 1000}k` : `${value}`) } },
  };
}

function crpLane(data, half) {
  const lane = data.lanes.crp;
  const marks = labMarks(lane, 0, half);
  return marks.length && {
    title: `CRP, ${lane.unit}`, height: 80, marks, series: labSeries(marks, lane, data),
    yAxis: { ...scale(marks, [lane.limit ?? 0], 2), min: 0, splitNumber: 3, axisLabel: { showMaxLabel: false } },
  };
}

function signsLane(data, title, lanes, least, height) {
  const main = lanes[0];
  const all = lanes.map((lane, n) => placed(lane).map((mark) => ({ ...mark, hollow: n > 0 })));
  const marks = all.flat().sort((a, b) => a.at - b.at);
  return marks.length && {
    title, height, marks, yAxis: { ...scale(marks, [main.limit], least), splitNumber: 3 },
    series: [
      frame(all[0], main, data),
      scatter(marks.map((mark) => (mark.hollow ? { ...mark, style: { color: "#ffffff", borderColor: BLUE, borderWidth: 1.5 } } : mark))),
    ],
  };
}

function strips(data, title, marks, fill) {
  const names = [...new Set(marks.map((mark) => mark.name))];
  const rows = Math.max(names.length, 1);
  const drawn = marks.map((mark) => ({ ...mark, row: names.indexOf(mark.name) }));
  return marks.length && {
    title, note: nowOf(drawn, (mark) => mark.label), height: 22 * rows, marks: drawn, yAxis: { min: 0, max: 1, axisLabel: { show: false }, axisTick: { show: false }, splitLine: { show: false } },
    series: [frame([], null, data), {
      type: "custom", renderItem: stripShape(drawn, fill, rows), data: drawn.map((mark) => [mark.at, 0.5]), clip: true,
    }],
  };
}

const DRUG_ROWS = [
  ["tocilizumab", "pin", "#882255"],
  ["IL-1 or other IL-6 blocker", "diamond", "#882255"],
  ["corticosteroid", "rect", "#117733"],
  ["antipyretic", "circle", "#ffffff"],
];
const ROW_OF_KIND = { "other-il6-blocker": 1, "il1-blocker": 1, "systemic-corticosteroid": 2, antipyretic: 3 };

function drugsLane(data, half, width) {
  const rowOf = (mark) => ROW_OF_KIND[mark.use] ?? 0;
  const used = DRUG_ROWS.map((_, n) => n).filter((n) => data.drugs.some((mark) => rowOf(mark) === n));
  const room = ((data.end - data.start) * DOSE_ROOM) / width;
  const last = new Map(); // of each row, when its last label was
  const marks = data.drugs.map((mark) => {
    const free = !last.has(rowOf(mark)) || mark.at - last.get(rowOf(mark)) > room;
    if (free) last.set(rowOf(mark), mark.at);
    const [, , color] = DRUG_ROWS[rowOf(mark)];
    const dose = mark.text.split(" ").slice(-2).join(" ");
    return {
      ...mark, value: used.length - 1 - used.indexOf(rowOf(mark)),
      style: { color, borderColor: INK, borderWidth: 1 },
      label: rowOf(mark) < 3 && free && {
        show: true, position: mark.at > half ? "left" : "right", formatter: / mg$/.test(mark.text) ? dose : mark.text, color: INK, fontSize: 11,
        textBorderColor: "#ffffff", textBorderWidth: 3,
      },
    };
  });
  return marks.length && {
    title: "Doses", note: used.map((n) => DRUG_ROWS[n][0]).join(" · "), height: 24 * used.length, marks,
    yAxis: { min: -0.6, max: used.length - 0.4, interval: 1, axisLabel: { show: false }, axisTick: { show: false }, splitLine: { show: false } },
    series: [frame([], null, data), scatter(marks, (mark) => ["triangle", "diamond", "rect", "circle"][rowOf(mark)], { symbolSize: 12 })],
  };
}

// All lanes that hold anything. `marks` of a lane are those of its last series, in its order.
export function lanesOf(data, width) {
  const half = (data.start + data.end) / 2;
  const found = [
    {
      title: "CRS grade (ASTCT)", note: nowOf(data.grades, (span) => span.short), height: 64, marks: data.grades, yAxis: { min: 0, max: 1, axisLabel: { show: false }, axisTick: { show: false }, splitLine: { show: false } },
      series: [frame([], undefined, data), { type: "custom", renderItem: gradeShape(data.grades), data: data.grades.map((span) => [span.at, 0.5]), clip: true }],
    },
    temperatureLane(data),
    il6Lane(data, half),
    crpLane(data, half),
    strips(data, "Oxygen", data.oxygen.map((mark) => ({ ...mark, name: "", label: mark.text, dashed: mark.value === null })), (mark) => OXYGEN[mark.value]),
    signsLane(data, "SpO2, %", [data.lanes.saturation], 2, 64),
    strips(data, "Vasopressors", data.pressors.map((mark) => ({ ...mark, name: mark.text, label: mark.use === "active" ? mark.text : `${mark.text}, ${mark.use}`, dashed: mark.use !== "active" })), () => "#e8a98a"),
    signsLane(data, data.lanes.mean.marks.length ? "Systolic (mean hollow) pressure, mmHg" : "Systolic pressure, mmHg", [data.lanes.systolic, data.lanes.mean], 5, 72),
    drugsLane(data, half, width),
  ];
  return found.filter(Boolean);
}

// Name and note; in a note every sign that would be markup of the library is left out.
function titleOf(lane, narrow) {
  const note = ((narrow && lane.noteShort) || lane.note || "").replace(/[{}|]/g, " ");
  return `{name|${lane.title.replace(/[{}|]/g, " ")}}${note ? `{note|  ${note}}` : ""}`;
}

// The whole picture for a width in pixels, its lanes `squeezed` by a factor; `height` is what it needs.
export function option(data, lanes, width, squeezed = 1) {
  const narrow = width < NARROW;
  const left = narrow ? 40 : 56;
  const right = narrow ? 10 : 16;
  const edge = data.end + (data.end - data.start) * (narrow ? 2 * MARGIN : MARGIN);
  let top = 24;
  const grids = lanes.map((lane) => {
    const grid = { left, right, top: top + TITLE, height: lane.height * squeezed, outerBoundsMode: "none" };
    top += TITLE + lane.height * squeezed + 8;
    return grid;
  });
  const days = data.days.map((day) => day.at);
  const named = new Map(data.days.map((day) => [day.at, `day ${day.day}\n${day.date}`]));
  const last = lanes.length - 1;
  const xAxis = lanes.map((_, n) => ({
    type: "value", gridIndex: n, min: data.start, max: edge, interval: edge - data.start,
    axisLine: { onZero: false, lineStyle: { color: QUIET } },
    axisTick: { show: n === last, customValues: days },
    axisLabel: { show: n === last, customValues: days, hideOverlap: true, color: INK, fontSize: 11, lineHeight: 14, margin: 6, formatter: (at) => named.get(at) ?? "" },
    splitLine: { show: false },
  }));
  const yAxis = lanes.map((lane, n) => ({
    type: "value", gridIndex: n, axisLine: { show: true, lineStyle: { color: QUIET } },
    splitLine: { lineStyle: { color: LINE } },
    ...lane.yAxis,
    axisLabel: { color: INK, fontSize: 11, hideOverlap: true, ...lane.yAxis.axisLabel },
  }));
  const series = lanes.flatMap((lane, n) => lane.series.map((one) => ({ ...one, xAxisIndex: n, yAxisIndex: n, animation: false })));
  const title = lanes.map((lane, n) => ({
    text: titleOf(lane, narrow), left: narrow ? 4 : left, top: grids[n].top - TITLE, padding: 0,
    textStyle: { fontSize: 12, rich: { name: { fontSize: 12, fontWeight: "bold", color: INK }, note: { fontSize: narrow ? 11 : 12, fontWeight: "normal", color: QUIET } } },
  }));
  return { height: top + 36, option: { grid: grids, xAxis, yAxis, series, title, animation: false } };
}
