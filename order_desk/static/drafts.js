// Draft orders as FHIR resources: made, changed, and listed.

import { el, redraw } from "./dom.js";

let number = 0;

/** A draft of its own from a template. */
export function newDraft(template) {
  number += 1;
  return { ...structuredClone(template), id: `draft-${number}`, status: "draft", authoredOn: new Date().toISOString() };
}

export const referenceOf = (draft) => `${draft.resourceType}/${draft.id}`;

export function nameOf(draft) {
  const concept = draft.medicationCodeableConcept ?? draft.code;
  return concept?.text ?? concept?.coding?.[0]?.display ?? draft.resourceType;
}

export const doseOf = (draft) => draft.dosageInstruction?.[0]?.doseAndRate?.[0]?.doseQuantity;

/** The draft with another dose, also where its words name the old one: no draft says two doses. */
export function withDose(draft, value) {
  const changed = structuredClone(draft);
  const quantity = doseOf(changed);
  const inWords = (text) => text.replaceAll(`${quantity.value} ${quantity.unit}`, `${value} ${quantity.unit}`);
  const concept = changed.medicationCodeableConcept;
  if (concept?.text) concept.text = inWords(concept.text);
  const [dosage] = changed.dosageInstruction;
  if (dosage.text) dosage.text = inWords(dosage.text);
  delete changed.note; // how the old dose was worked out
  quantity.value = value;
  return changed;
}

/** The drafts after an action of a suggestion, and the draft that it made or changed. */
export function applied(drafts, action) {
  if (action.type === "delete") {
    return { drafts: drafts.filter((draft) => referenceOf(draft) !== action.resourceId) };
  }
  if (action.type === "update") {
    const draft = action.resource;
    const at = drafts.findIndex((one) => referenceOf(one) === referenceOf(draft));
    if (at < 0) return { drafts };
    return { drafts: drafts.with(at, draft), draft };
  }
  const draft = newDraft(action.resource);
  return { drafts: [...drafts, draft], draft };
}

export function drawDrafts(list, drafts, { onDose, onRemove }) {
  if (!drafts.length) {
    redraw(list, el("li", { class: "quiet" }, "No order is drafted."));
    return;
  }
  redraw(list, drafts.map((draft) => {
    const quantity = doseOf(draft);
    const dose = quantity && el("label", {}, "Dose ", el("input", {
      type: "number", min: "0.1", step: "any", required: true, value: quantity.value, "data-key": `dose ${draft.id}`,
      "aria-label": `Dose of ${nameOf(draft)} in ${quantity.unit}`,
      onchange: (event) => event.target.reportValidity() && onDose(draft, event.target.valueAsNumber),
    }), ` ${quantity.unit}`);
    return el("li", { tabindex: "-1", "data-key": draft.id, id: draft.id },
      el("span", { class: "what" }, nameOf(draft)), dose ?? "",
      el("button", { type: "button", "data-key": `remove ${draft.id}`, "aria-label": `Remove ${nameOf(draft)}`,
        onclick: () => onRemove(draft) }, "Remove"));
  }));
}
