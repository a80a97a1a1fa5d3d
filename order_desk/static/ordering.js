// Draft orders, the hooks that they call, and what becomes of the cards.

import { assessmentOf, drawCards } from "./cards.js";
import { called, discovered, told } from "./cds_client.js";
import { byId, el } from "./dom.js";
import { applied, drawDrafts, nameOf, referenceOf, withDose } from "./drafts.js";
import { courseUrl, here, put, say, setBusy } from "./here.js";
import { openChart, showChart } from "./patient.js";

const BASE = location.origin;

/** Calls a hook and shows what came; returns the exchange, or undefined if a newer call began meanwhile. */
export async function fire(hook, { selected, first = "" } = {}) {
  const call = ++here.calls;
  byId("sign-anyway").hidden = true;
  byId("cards-heading").textContent = `Cards on ${hook}`;
  byId("cards").replaceChildren(el("p", { class: "quiet" }, "Asking …"));
  const context = contextOf(hook, selected);
  if (!here.discovery?.services) here.discovery = await discovered(BASE);
  const service = here.discovery.services?.[hook];
  const exchange = service ? await called(BASE, service, here.fhirServer, context) : { ...here.discovery, ok: false };
  if (call !== here.calls) return undefined;
  const act = {
    accept: (card, suggestion) => accept(service, card, suggestion),
    override: (card, reason) => override(service, card, reason),
  };
  say(first + drawCards(byId("cards"), { ...exchange, title: hook }, { act, courseUrl: courseUrl() }));
  if (hook === "patient-view") showChart(assessmentOf(exchange));
  return exchange;
}

function contextOf(hook, selected) {
  const context = { userId: here.user, patientId: here.story.patientId };
  if (hook === "patient-view") return context;
  const entry = here.drafts.map((resource) => ({ resource }));
  context.draftOrders = { resourceType: "Bundle", type: "collection", entry };
  if (hook === "order-select") context.selections = [referenceOf(selected)];
  return context;
}

export function drawOrders() {
  drawDrafts(byId("drafts"), here.drafts, {
    onDose: (draft, value) => {
      const changed = withDose(draft, value);
      here.drafts = here.drafts.map((one) => (one === draft ? changed : one));
      drawOrders();
      fire("order-select", { selected: changed });
    },
    onRemove: (draft) => {
      here.drafts = here.drafts.filter((one) => one !== draft);
      drawOrders();
      byId("order-buttons").firstElementChild.focus();
      const first = `${nameOf(draft)}: removed. `, left = here.drafts.at(-1);
      fire(left ? "order-select" : "patient-view", { selected: left, first });
    },
  });
  byId("sign").disabled = !here.drafts.length;
  byId("sign-anyway").hidden = true;
}

export function select(draft) {
  here.drafts = [...here.drafts, draft];
  drawOrders();
  fire("order-select", { selected: draft });
}

// Signing goes through at once only if the service said that it has no card. A card or no assessment asks once more.
export async function sign() {
  const exchange = await fire("order-sign");
  if (!exchange) return;
  if (exchange.ok && exchange.answer.cards?.length === 0) await place();
  else byId("sign-anyway").hidden = false; // the cards are new to the user, who decides whether to sign all the same
}

export async function place() {
  const number = here.drafts.length, move = here.moves;
  setBusy(true);
  const { wrong } = await put("orders", { orders: here.drafts });
  if (move !== here.moves) return;
  setBusy(false);
  if (wrong) {
    say(`The orders were not signed: ${wrong}`);
    return;
  }
  here.drafts = [];
  drawOrders();
  byId("cards-heading").focus();
  await openChart(`${number} ${number === 1 ? "order" : "orders"} signed. `);
}

async function accept(service, card, suggestion) {
  let changed;
  for (const action of suggestion.actions) {
    const after = applied(here.drafts, action);
    here.drafts = after.drafts;
    changed = after.draft ?? changed;
  }
  drawOrders();
  if (changed) byId(changed.id).focus();
  const acceptedSuggestions = [{ id: suggestion.uuid }];
  const [wrong] = await Promise.all([
    told(BASE, service, card, { outcome: "accepted", acceptedSuggestions }),
    changed && fire("order-select", { selected: changed, first: `${nameOf(changed)}: accepted. ` }),
  ]);
  if (!changed) say("The draft that this would change is no longer there.");
  if (wrong) say(`Accepted, but the service did not take the feedback: ${wrong}`);
}

async function override(service, card, reason) {
  const { code, system, display } = reason;
  const wrong = await told(BASE, service, card, { outcome: "overridden", overrideReason: { reason: { code, system } } });
  const said = wrong ? `Overridden, but the service did not take it: ${wrong}` : `Overridden: ${display}`;
  say(said);
  return said;
}
