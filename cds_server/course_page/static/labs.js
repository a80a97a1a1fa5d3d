// The lane of a laboratory value: baseline, peak, the other samples, counted or not, and the limit of the rise.

import { BLUE, MARGIN, frame, placed, scale, scatter } from "./frame.js";
import { INK } from "./shapes.js";

const SYMBOLS = { baseline: "diamond", peak: "triangle", counted: "circle" };

// A sample that was not counted is hollow, one below or above a limit an arrow.
function labMarks(lane, lowest, half) {
  return placed(lane).map((mark) => {
    const counted = mark.code in SYMBOLS;
    const named = mark.code === "baseline" || mark.code === "peak";
    return {
      ...mark,
      turned: mark.bound === "below" ? 180 : 0, // below a limit points down
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
  return [frame(marks, lane, data), scatter(marks, (mark) => (mark.bound ? "arrow" : SYMBOLS[mark.code] ?? "circle"))];
}

// The axis runs from the power of ten below the lowest mark (or the limit) to the one above the highest.
function logAxis(lane) {
  const values = placed(lane).map((mark) => mark.value).concat(lane.limit ?? []).filter((value) => value > 0);
  const lowest = 10 ** Math.floor(Math.log10(Math.min(...values, 10) / 1.3));
  const highest = 10 ** Math.ceil(Math.log10(Math.max(...values, 10) * 1.3));
  return { type: "log", min: lowest, max: highest, axisLabel: { formatter: (value) => (value >= 1000 ? `${value / 1000}k` : `${value}`) } };
}

function linearAxis(lane) {
  return { ...scale(placed(lane), [lane.limit ?? 0], 2), min: 0, splitNumber: 3, axisLabel: { showMaxLabel: false } };
}

export function labLane(lane, data, half) {
  if (!placed(lane).length) return null;
  const yAxis = lane.isLog ? logAxis(lane) : linearAxis(lane);
  const marks = labMarks(lane, yAxis.min, half);
  const series = labSeries(marks, lane, data);
  const shaded = lane.until === null ? "" : "shaded: does not count";
  if (shaded) {
    series[0].markArea = {
      silent: true,
      itemStyle: { color: "#57606a", opacity: 0.16 },
      data: [[{ xAxis: lane.until }, { xAxis: data.end + (data.end - data.start) * MARGIN }]],
    };
  }
  return {
    title: `${lane.name}, ${lane.unit}${lane.isLog ? " (log)" : ""}`,
    note: shaded && `${shaded} (${data.doses.length ? "rises after tocilizumab" : "after an IL-6 blocker"})`, noteShort: shaded,
    height: lane.isLog ? 120 : 80, marks, series, yAxis,
  };
}
