// The parts of every lane: marks, the thin line between them, upright lines, the line of a limit, a scale.

import { INK } from "./shapes.js";

export const QUIET = "#57606a";
export const BLUE = "#0072b2";
// of the axis, beside the line of now: a grade 4 of one hour would else be two pixels wide after ten days
export const MARGIN = 0.05;
const GAP_MS = 12 * 3600 * 1000; // marks that are further apart are not joined by a line

export function scatter(marks, symbol = () => "circle", more = {}) {
  const size = marks.length > 250 ? 4 : 8;
  return {
    type: "scatter",
    data: marks.map((mark) => ({
      value: [mark.at, mark.drawn ?? mark.value],
      symbol: symbol(mark),
      symbolRotate: mark.turned ?? 0,
      symbolSize: mark.size ?? (["baseline", "peak"].includes(mark.code) ? 13 : size),
      ...(mark.style ? { itemStyle: mark.style } : {}),
      ...(mark.label ? { label: mark.label } : {}),
    })),
    itemStyle: { color: BLUE },
    labelLayout: { hideOverlap: true },
    emphasis: { scale: 1.4, itemStyle: { borderColor: INK, borderWidth: 2 } },
    ...more,
  };
}

// Tells whether the word above a line has room beside "now".
const roomBeforeNow = (at, data) => (data.end - at) / (data.end - data.start) > 0.15;

// The thin line between marks that are near each other, and the lines on every lane: infusion, doses, limit.
export function frame(marks, lane, data) {
  const points = [];
  marks.forEach((mark, n) => {
    if (n && mark.at - marks[n - 1].at > GAP_MS) points.push([marks[n - 1].at + 1, null]);
    points.push([mark.at, mark.drawn ?? mark.value]);
  });
  const upright = [
    ...data.infused.map((at) => ({ xAxis: at, lineStyle: { color: QUIET, type: "solid", width: 1 }, label: { show: lane === undefined && roomBeforeNow(at, data), formatter: "CAR-T", color: INK, fontSize: 11, distance: 2 } })),
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

// A linear scale that holds the marks and the limit with some room, above for the words of the limit.
export function scale(marks, limits, least) {
  const values = [...marks.map((mark) => mark.value), ...limits].filter((value) => value != null);
  const room = Math.max((Math.max(...values) - Math.min(...values)) * 0.12, least);
  const ends = { showMinLabel: false, showMaxLabel: false }; // they are no round numbers
  return { min: Math.floor(Math.min(...values) - room), max: Math.ceil(Math.max(...values) + 2 * room), axisLabel: ends };
}

// Marks without a place on the scale stand in the table only.
export const placed = (lane) => lane.marks.filter((mark) => mark.value != null);
