// What the desk shows now: the story, its moment, the drafts; and what several parts of the page do.

import { problemOf } from "./cds_client.js";
import { byId } from "./dom.js";

export const here = { stories: [], fhirServer: "", when: String, discovery: undefined, story: undefined, moment: undefined,
  user: "", drafts: [], chart: undefined, moves: 0, calls: 0 };

export const say = (text) => { byId("said").textContent = text; };
export const courseUrl = () => `/demo/course/${encodeURIComponent(here.story.patientId)}`;

let last = Promise.resolve();

/** One write after another, in the order asked; one that is not wanted any more when its turn comes is left out.
 * What the desk's server says: {wrong} where it was not done. */
export function put(path, body, wanted = () => true) {
  const url = `/demo/stories/${encodeURIComponent(here.story.id)}/${path}`;
  last = last.then(() => (wanted() ? write(url, body) : {}));
  return last;
}

async function write(url, body) {
  const response = await fetch(url, {
    method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  }).catch(() => undefined);
  const answer = await response?.json().catch(() => undefined);
  return response?.ok && answer ? answer : { wrong: problemOf({ status: response?.status ?? 0, answer }) };
}

/** While the chart or orders are written, nothing can be ordered for it. */
export function setBusy(busy) {
  for (const button of [...byId("order-buttons").children, byId("open"), byId("sign-anyway")]) button.disabled = busy;
  byId("sign").disabled = busy || !here.drafts.length;
}
