// The lanes of IL-6 and CRP: baseline, peak, what else counted, what did not, and the limit of the rise.

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
      turned: /^</.test(mark.text) ? 180 : 0, // below a limit points down
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
  return [frame(marks, lane, data), scatter(marks, (mark) => (/^[<>]/.test(mark.text) ? "arrow" : SYMBOLS[mark.code] ?? "circle"))];
}

export function il6Lane(data, half) {
  const lane = data.lanes.il6;
  const above = placed(lane).map((mark) => mark.value).concat(lane.limit ?? []).filter((value) => value > 0);
  if (!placed(lane).length) return null;
  const lowest = 10 ** Math.floor(Math.log10(Math.min(...above, 10) / 1.3));
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
    title: `IL-6, ${lane.unit} (log)`, note: data.il6Until === null ? "" : `shaded: does not count (${data.doses.length ? "rises after tocilizumab" : "after an IL-6 blocker"})`, noteShort: data.il6Until === null ? "" : "shaded: does not count",
    height: 120, marks, series, yAxis: { type: "log", min: lowest, max: highest, axisLabel: { formatter: (value) => (value >= 1000 ? `${value / 1000}k` : `${value}`) } },
  };
}

export function crpLane(data, half) {
  const lane = data.lanes.crp;
  const marks = labMarks(lane, 0, half);
  return marks.length && {
    title: `CRP, ${lane.unit}`, height: 80, marks, series: labSeries(marks, lane, data),
    yAxis: { ...scale(marks, [lane.limit ?? 0], 2), min: 0, splitNumber: 3, axisLabel: { showMaxLabel: false } },
  };
}
