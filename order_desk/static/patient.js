// The patient and the clock: a story is chosen, its chart is written as of a moment, and opened.

import { drawChart, readChart } from "./chart.js";
import { byId, el } from "./dom.js";
import { newDraft } from "./drafts.js";
import { courseUrl, here, put, say, setBusy } from "./here.js";
import { drawOrders, fire, select } from "./ordering.js";

const inWords = ({ day, clock }) => `Day ${day}, ${clock}`;
const order = (one, other) => one.day - other.day || one.clock.localeCompare(other.clock);

export function choose(story) {
  here.story = story;
  byId("line").textContent = story.line;
  byId("day").max = story.lastDay;
  byId("scenes").replaceChildren(...story.scenes.map((scene) =>
    el("button", { type: "button", "data-moment": inWords(scene), onclick: () => moveTo(scene) }, inWords(scene))));
  byId("order-buttons").replaceChildren(...story.orders.map(({ label, draft }) =>
    el("button", { type: "button", onclick: () => select(newDraft(draft)) }, label)));
  return moveTo(story.scenes[0]);
}

export async function moveTo(moment) {
  const move = ++here.moves;
  here.calls += 1; // what is still asked is about another moment
  Object.assign(here, { moment, drafts: [], chart: undefined });
  here.user = `Practitioner/desk-${crypto.randomUUID()}`; // another shift: what one overrode, the next has not seen
  byId("day").value = moment.day;
  byId("time").value = moment.clock;
  for (const button of byId("scenes").children) {
    button.setAttribute("aria-pressed", button.dataset.moment === inWords(moment));
  }
  drawOrders();
  setBusy(true);
  byId("now").textContent = "";
  byId("chart").replaceChildren(el("p", { class: "quiet" }, "Writing the chart …"));
  byId("cards-heading").textContent = "Cards";
  byId("cards").replaceChildren();
  const { wrong, now } = await put("clock", moment, () => move === here.moves);
  if (move !== here.moves) return;
  if (wrong) {
    byId("chart").replaceChildren(el("p", { class: "no-assessment" }, `The chart could not be written: ${wrong}`));
    say(`The chart could not be written: ${wrong}`);
    return;
  }
  setBusy(false);
  byId("now").textContent = `Now it is ${here.when(now)}: ${inWords(moment).toLowerCase()} of the story.`;
  await openChart();
}

/** To the nearest moment before (-1) or after (1) at which something is charted. */
export function step(direction) {
  const others = here.story.moments.filter((moment) => order(moment, here.moment) * direction > 0);
  const next = direction > 0 ? others[0] : others.at(-1);
  if (next) moveTo(next);
  else say(direction > 0 ? "Nothing later is charted." : "Nothing earlier is charted.");
}

/** Reads the chart and calls patient-view; `first` is said before what came. */
export async function openChart(first = "") {
  const move = here.moves;
  const chart = await readChart(here.fhirServer, here.story.patientId);
  if (move !== here.moves) return;
  here.chart = chart;
  showChart();
  await fire("patient-view", { first });
}

export function showChart(assessment) {
  drawChart(byId("chart"), here.chart, { when: here.when, assessment, courseUrl: courseUrl() });
}
