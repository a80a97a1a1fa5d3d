// The cards of an answer as an EHR shows them, and what stands there when there are none.

import { problemOf } from "./cds_client.js";
import { el } from "./dom.js";

const markdown = window.markdownit({ html: false, linkify: false });
const FOLDED = "In detail"; // the link to the evidence has another name
const ASSESSMENT = "org.crs-cds.assessment";
const NO_ALL_CLEAR = "This is no all-clear.";
// the reason of an answer without cards, among the flags of its assessment
const WHY_NO_CARD = {
  no_course: "No CAR-T infusion is on record, and everything was read: there is nothing to grade.",
  no_course_in_part_read: `No CAR-T infusion was found, but not everything could be read. ${NO_ALL_CLEAR}`,
  course_ended: "The infusion is so long ago that its course of CRS is taken as over.",
  deceased: "The patient is recorded as deceased.",
  nothing_to_say: "The drafted orders ask for no advice on CRS, and nothing critical stands against them. "
    + "Open the chart again for the state of CRS.",
  switched_off: `The site has switched off the cards that would be due. ${NO_ALL_CLEAR}`,
};

/** Draws an answer; returns a sentence on what came. `act` has accept(card, suggestion) and override(card, reason). */
export function drawCards(parent, exchange, { act, courseUrl }) {
  if (!exchange.ok || !Array.isArray(exchange.answer.cards)) {
    const why = exchange.ok ? "the answer is not one of CDS Hooks" : problemOf(exchange);
    parent.replaceChildren(el("div", { class: "no-assessment" },
      el("h3", {}, "No assessment"),
      el("p", {}, "The service did not assess this patient. Grade CRS at the bedside."),
      el("p", { class: "small" }, why)));
    return `${exchange.title}: no assessment. ${why}`;
  }
  const { cards } = exchange.answer;
  if (!cards.length) {
    const why = whyNoCard(exchange.answer.extension?.[ASSESSMENT]);
    parent.replaceChildren(el("div", { class: "no-cards" }, el("h3", {}, "No card"), el("p", {}, why)));
    return `${exchange.title}: no card. ${why}`;
  }
  parent.replaceChildren(...cards.map((card) => drawnCard(card, act, courseUrl)));
  const levels = cards.map((card) => card.indicator).join(", ");
  return `${exchange.title}: ${cards.length} ${cards.length === 1 ? "card" : "cards"} (${levels}).`;
}

export const assessmentOf = (exchange) => (exchange.ok ? exchange.answer.extension?.[ASSESSMENT] : undefined);

function whyNoCard(assessment) {
  const reason = (assessment?.flags ?? []).find((flag) => flag in WHY_NO_CARD);
  return reason ? WHY_NO_CARD[reason] : `The service gave no card and no reason for it. ${NO_ALL_CLEAR}`;
}

function drawnCard(card, act, courseUrl) {
  const heading = `card-${card.uuid}`;
  const level = ["info", "warning", "critical"].includes(card.indicator) ? card.indicator : "critical";
  return el("article", { class: `card ${level}`, "aria-labelledby": heading },
    el("p", { class: "indicator" }, card.indicator),
    el("h3", { id: heading }, card.summary),
    (card.suggestions ?? []).map((suggestion) => el("button", { type: "button", class: "suggestion",
      onclick: (event) => {
        event.currentTarget.disabled = true; // an order is accepted once
        act.accept(card, suggestion);
      } },
    suggestion.isRecommended ? el("strong", {}, "Recommended: ") : "", suggestion.label)),
    detailOf(card),
    el("p", { class: "small" }, "Source: ",
      card.source.url ? outward(card.source.url, card.source.label) : card.source.label),
    (card.links ?? []).map((link) => el("p", { class: "small" },
      outward(link.type === "smart" ? courseUrl : link.url, link.label))),
    card.overrideReasons ? overriding(card, act) : "");
}

/** The Markdown of a card: sentences first, then its lists, folded. */
function detailOf(card) {
  const detail = el("div", { class: "detail" });
  detail.innerHTML = markdown.render(card.detail ?? ""); // HTML in it is escaped: `html: false`
  const lists = [...detail.children].filter((part) => part.tagName === "UL");
  // With the lists open the second of two warnings began below the screen, a wrong dose among them; so they are folded.
  if (lists.length) detail.append(el("details", {}, el("summary", {}, FOLDED), lists));
  return detail;
}

function outward(url, label) {
  const known = /^(https?:|\/)/.test(url);
  return known ? el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label) : label;
}

function overriding(card, act) {
  const reasons = el("select", { required: true, "aria-label": `Reason to override: ${card.summary}` },
    el("option", { value: "" }, "Why not? Choose a reason"),
    card.overrideReasons.map((reason, index) => el("option", { value: index }, reason.display)));
  const form = el("form", { class: "override row" }, reasons,
    el("button", { type: "submit", "aria-label": `Override: ${card.summary}` }, "Override"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const reason = card.overrideReasons[reasons.value];
    const said = el("p", { class: "outcome", tabindex: "-1" }, await act.override(card, reason));
    form.replaceWith(said);
    said.focus();
  });
  return form;
}
