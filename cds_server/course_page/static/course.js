// The picture of a course, and the text shown for pointing, tapping and the arrow keys. All words come from the page.

import { lanesOf } from "./lanes.js";
import { option } from "./option.js";

const PRINTED = { width: 900, squeezed: 0.72 }; // so that it fits a page beside line and table
const data = JSON.parse(document.getElementById("course-data").textContent);
for (const span of [...data.grades, ...data.oxygen, ...data.pressors]) span.isNow = span.end === data.end;
data.doses = data.drugs.filter((mark) => mark.code === "dose").map((mark) => mark.at);
const box = document.getElementById("picture");
const told = document.getElementById("told");
let lanes = lanesOf(data, box.clientWidth);
// for each lane, the index of the series that holds its marks
const seriesOf = lanes.reduce((found, lane) => [...found, (found.at(-1) ?? -1) + lane.series.length], []);
const chart = echarts.init(box, null, { renderer: "svg" });

// A tooltip of text nodes: the text of a record is never markup.
function tip(mark) {
  const found = document.createElement("div");
  found.className = "tip";
  for (const line of mark.says) {
    const paragraph = document.createElement("p");
    paragraph.textContent = line;
    found.append(paragraph);
  }
  return found;
}

function markAt(params) {
  const lane = seriesOf.indexOf(params.seriesIndex);
  return lane < 0 ? null : lanes[lane].marks[params.dataIndex];
}

function draw(width, squeezed = 1) {
  lanes = lanesOf(data, width);
  const { height, option: wanted } = option(data, lanes, width, squeezed);
  box.style.height = `${height}px`;
  chart.resize({ width, height });
  chart.setOption({
    ...wanted,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    tooltip: {
      trigger: "item", triggerOn: "mousemove|click", confine: true, transitionDuration: 0,
      formatter: (params) => { const mark = markAt(params); return mark ? tip(mark) : ""; },
    },
  }, true);
  const svg = box.querySelector("svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`); // so that a printer may scale it
  svg.setAttribute("aria-hidden", "true");
}

// The arrow keys move through the marks (role="application"), and a live region reads them out. The tables hold the same.
// `here` is their position: a lane, and a mark on it.
const here = { lane: 0, mark: lanes[0].marks.length - 1 };

function nearest(marks, at) {
  return marks.reduce((best, mark, n) => (Math.abs(mark.at - at) < Math.abs(marks[best].at - at) ? n : best), 0);
}

function tell() {
  const mark = lanes[here.lane].marks[here.mark];
  told.textContent = mark.says.join(" · ");
  chart.dispatchAction({ type: "downplay" });
  const target = { seriesIndex: seriesOf[here.lane], dataIndex: here.mark };
  chart.dispatchAction({ type: "highlight", ...target });
  chart.dispatchAction({ type: "showTip", ...target });
}

function toLane(step) {
  const at = lanes[here.lane].marks[here.mark].at;
  here.lane = Math.min(Math.max(here.lane + step, 0), lanes.length - 1);
  here.mark = nearest(lanes[here.lane].marks, at);
}

function toMark(wanted) {
  here.mark = Math.min(Math.max(wanted, 0), lanes[here.lane].marks.length - 1);
}

const KEYS = {
  ArrowRight: () => toMark(here.mark + 1),
  ArrowLeft: () => toMark(here.mark - 1),
  ArrowDown: () => toLane(1),
  ArrowUp: () => toLane(-1),
  Home: () => toMark(0),
  End: () => toMark(Infinity),
};

box.addEventListener("keydown", (event) => {
  if (event.key === "Escape") chart.dispatchAction({ type: "hideTip" });
  if (!(event.key in KEYS) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  KEYS[event.key]();
  tell();
});
box.addEventListener("blur", () => { chart.dispatchAction({ type: "hideTip" }); chart.dispatchAction({ type: "downplay" }); });
chart.on("mouseover", (params) => { const mark = markAt(params); if (mark) told.textContent = mark.says.join(" · "); });

draw(box.clientWidth);
document.getElementById("undrawn").remove(); // it stays if a script failed or did not load
new ResizeObserver(() => { if (box.clientWidth !== chart.getWidth() && !matchMedia("print").matches) draw(box.clientWidth); }).observe(box.parentElement);
addEventListener("beforeprint", () => draw(PRINTED.width, PRINTED.squeezed));
addEventListener("afterprint", () => draw(box.parentElement.clientWidth));
