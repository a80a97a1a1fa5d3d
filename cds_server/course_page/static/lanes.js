// The lanes of the picture, top to bottom; each names its marks, scale and series, the last of which holds the marks.

import { frame, placed, scale, scatter } from "./frame.js";
import { labLane } from "./labs.js";
import { INK, gradeShape, stripShape } from "./shapes.js";

const OXYGEN = ["#ffffff", "#e3f1fa", "#cbe6f7", "#e6c98f", "#e8a98a"];
const PLOT = 0.75; // of the width at least, from the first moment to now
const LETTER = 6.5, BESIDE = 20; // pixels of the label of a dose: each letter, and the mark beside it

const nowOf = (spans, words) => {
  const found = spans.filter((span) => span.isNow).map(words);
  return found.length ? `now: ${found.join(", ")}` : "";
};

function temperatureLane(data) {
  const lane = data.lanes.temperature;
  const marks = placed(lane);
  return marks.length && {
    title: "Temperature, °C", height: 92, marks, yAxis: { ...scale(marks, [lane.limit], 0.4), interval: 1, axisLabel: {} },
    series: [frame(marks, lane, data), scatter(marks)],
  };
}

function signsLane(data, title, lane, least, height) {
  const marks = placed(lane);
  return marks.length && {
    title, height, marks, yAxis: { ...scale(marks, [lane.limit], least), splitNumber: 3 },
    series: [frame(marks, lane, data), scatter(marks)],
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
  ["tocilizumab", "triangle", "#882255"],
  ["IL-1 or other IL-6 blocker", "diamond", "#882255"],
  ["corticosteroid", "rect", "#117733"],
  ["antipyretic", "circle", "#ffffff"],
];
const ROW_OF = { dose: 0, "not-counted": 0, blocker: 1, steroid: 2, antipyretic: 3 };

// The side on which the words of a dose have room, or null. Half the text of a dose would read as another dose.
function sideOf(mark, row, data, width) {
  const room = ((data.end - data.start) * (mark.label.length * LETTER + BESIDE)) / (width * PLOT);
  const others = row.filter((other) => other !== mark).map((other) => other.at - mark.at);
  const free = {
    right: data.end - mark.at > room && !others.some((far) => far >= 0 && far < 2 * room),
    left: mark.at - data.start > room && !others.some((far) => far <= 0 && far > -room),
  };
  return free.right ? "right" : free.left ? "left" : null;
}

function drugsLane(data, width) {
  const rowOf = (mark) => ROW_OF[mark.code];
  const used = DRUG_ROWS.map((_, n) => n).filter((n) => data.drugs.some((mark) => rowOf(mark) === n));
  const marks = data.drugs.map((mark) => {
    const [, , color] = DRUG_ROWS[rowOf(mark)];
    const counted = mark.code !== "not-counted";
    const side = sideOf(mark, data.drugs.filter((other) => rowOf(other) === rowOf(mark)), data, width);
    return {
      ...mark, value: used.length - 1 - used.indexOf(rowOf(mark)),
      size: 12, style: { color: counted ? color : "#ffffff", borderColor: counted ? INK : color, borderWidth: counted ? 1 : 2 },
      label: rowOf(mark) < 3 && side !== null && {
        show: true, position: side, formatter: mark.label, color: INK, fontSize: 11, textBorderColor: "#ffffff", textBorderWidth: 3,
      },
    };
  });
  return marks.length && {
    title: "Doses", note: used.map((n) => DRUG_ROWS[n][0]).join(" · "), height: 24 * used.length, marks,
    yAxis: { min: -0.6, max: used.length - 0.4, interval: 1, axisLabel: { show: false }, axisTick: { show: false }, splitLine: { show: false } },
    series: [frame([], null, data), scatter(marks, (mark) => DRUG_ROWS[rowOf(mark)][1])],
  };
}

// All lanes that have marks. `marks` of a lane are those of its last series, in the same order.
export function lanesOf(data, width) {
  const half = (data.start + data.end) / 2;
  const found = [
    {
      title: "CRS grade (ASTCT)", note: nowOf(data.grades, (span) => (span.ifCrs ? `${span.short} (${span.ifCrs} if CRS)` : span.short)), height: 64, marks: data.grades, yAxis: { min: 0, max: 1, axisLabel: { show: false }, axisTick: { show: false }, splitLine: { show: false } },
      series: [frame([], undefined, data), { type: "custom", renderItem: gradeShape(data.grades), data: data.grades.map((span) => [span.at, 0.5]), clip: true }],
    },
    temperatureLane(data),
    ...data.labs.map((lane) => labLane(lane, data, half)),
    strips(data, "Oxygen", data.oxygen.map((mark) => ({ ...mark, name: "", dashed: mark.code !== "now" })), (mark) => OXYGEN[mark.value]),
    signsLane(data, "SpO2, %", data.lanes.saturation, 2, 64),
    strips(data, "Vasopressors", data.pressors.map((mark) => ({ ...mark, name: mark.text, dashed: mark.code !== "now" })), () => "#e8a98a"),
    signsLane(data, "Systolic pressure, mmHg", data.lanes.systolic, 5, 72),
    signsLane(data, "Mean pressure, mmHg", data.lanes.mean, 5, 64),
    drugsLane(data, width),
  ];
  return found.filter(Boolean);
}
