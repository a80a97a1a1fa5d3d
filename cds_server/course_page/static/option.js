// The options of ECharts for the lanes: one grid for each, all on one time axis.

import { MARGIN, QUIET } from "./frame.js";
import { INK } from "./shapes.js";

const LINE = "#d0d7de";
const NARROW = 600; // pixels
const TITLE = 18; // pixels above a lane for its name
const WORDS = 14; // pixels above the first lane for the words of the upright lines

// The name and note of a lane, without the characters that the library would read as markup.
function titleOf(lane, narrow) {
  const note = ((narrow && lane.noteShort) || lane.note || "").replace(/[{}|]/g, " ");
  return `{name|${lane.title.replace(/[{}|]/g, " ")}}${note ? `{note|  ${note}}` : ""}`;
}

// The whole picture for a width in pixels, its lanes `squeezed` by a factor; `height` is the height that it needs.
export function option(data, lanes, width, squeezed = 1) {
  const narrow = width < NARROW;
  const left = narrow ? 40 : 56;
  const right = narrow ? 10 : 16;
  const edge = data.end + (data.end - data.start) * (narrow ? 2 * MARGIN : MARGIN);
  let top = 24;
  const titles = [];
  const grids = lanes.map((lane, n) => {
    titles.push(top);
    if (n === 0) top += WORDS;
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
    text: titleOf(lane, narrow), left: narrow ? 4 : left, top: titles[n], padding: 0,
    textStyle: { fontSize: 12, rich: { name: { fontSize: 12, fontWeight: "bold", color: INK }, note: { fontSize: narrow ? 11 : 12, fontWeight: "normal", color: QUIET } } },
  }));
  return { height: top + 36, option: { grid: grids, xAxis, yAxis, series, title, animation: false } };
}
