// The order desk: an EHR's order entry, played with the example patients.

import { byId, clockOf, el } from "./dom.js";
import { here, say } from "./here.js";
import { place, sign } from "./ordering.js";
import { choose, moveTo, openChart, step } from "./patient.js";
import { watchExchanges } from "./raw.js";

async function start() {
  watchExchanges(say);
  const response = await fetch("/demo/stories");
  const told = await response.json();
  Object.assign(here, { stories: told.stories, fhirServer: told.fhirServer, when: clockOf(told.zone) });
  byId("story").replaceChildren(...told.stories.map((story) =>
    el("option", { value: story.id }, `${story.id} · ${story.title}`)));
  byId("story").addEventListener("change", (event) => choose(here.stories.find((one) => one.id === event.target.value)));
  byId("earlier").addEventListener("click", () => step(-1));
  byId("later").addEventListener("click", () => step(1));
  byId("clock").addEventListener("submit", (event) => {
    event.preventDefault();
    moveTo({ day: byId("day").valueAsNumber, clock: byId("time").value });
  });
  byId("open").addEventListener("click", () => openChart());
  byId("sign").addEventListener("click", sign);
  byId("sign-anyway").addEventListener("click", place);
  await choose(here.stories[0]);
}

// what fails must not look like an answer
addEventListener("unhandledrejection", () => {
  byId("cards").replaceChildren(el("p", { class: "no-assessment" }, "The desk failed. Load the page again."));
  say("The desk failed. Load the page again.");
});
start();
