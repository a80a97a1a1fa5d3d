// The patient's chart, read from the FHIR server as an EHR shows it. What could not be read is said, never left blank.

import { fhirGet } from "./cds_client.js";
import { el } from "./dom.js";
import { nameOf } from "./drafts.js";

const SEARCHES = {
  observations: (id) => `Observation?patient=${id}&_sort=-date&_count=500`,
  administrations: (id) =>
    `MedicationAdministration?patient=${id}&_include=MedicationAdministration:medication&_count=500`,
  conditions: (id) => `Condition?patient=${id}&_count=100`,
  medicationOrders: (id) => `MedicationRequest?patient=${id}&status=active&_count=100`,
  serviceOrders: (id) => `ServiceRequest?patient=${id}&status=active&_count=100`,
};
// LOINC codes of the example hospital
const TEMPERATURE = "8310-5", PRESSURE = "85354-9", SPO2 = "59408-5", DEVICE = "3152-6", FLOW = "3151-8",
  FIO2 = "3150-0", IL6 = "26881-3", CRP = "1988-5", WEIGHT = "29463-7";
const IN_ROWS = new Set([TEMPERATURE, PRESSURE, SPO2, DEVICE, FLOW, FIO2, IL6, CRP, WEIGHT]);
const UNITS = { Cel: "°C", "[degF]": "°F", "mm[Hg]": "mmHg" };
const CAR_T = /leucel\b/; // the name of every CAR-T product ends so
const MOST_DRUGS = 8;

/** {patient, observations, …}; a part that could not be read is undefined. */
export async function readChart(fhirServer, patientId) {
  const id = encodeURIComponent(patientId);
  const chart = {};
  const read = async (name, query) => {
    try {
      chart[name] = await fhirGet(fhirServer, query);
    } catch {
      chart[name] = undefined;
    }
  };
  await Promise.all([read("patient", `Patient/${id}`),
    ...Object.entries(SEARCHES).map(([name, query]) => read(name, query(id)))]);
  for (const name of Object.keys(SEARCHES)) {
    const bundle = chart[name];
    const whole = bundle && !(bundle.link ?? []).some((link) => link.relation === "next");
    chart[name] = whole ? (bundle.entry ?? []).map((entry) => entry.resource) : undefined;
  }
  return chart;
}

/** Rows of the chart; `assessment` names the baselines, for which sample is one is the service's to say. */
export function drawChart(parent, chart, { when, assessment, courseUrl }) {
  const { patient } = chart;
  const name = patient?.name?.[0];
  const years = patient?.birthDate ? `, ${ageOf(patient.birthDate)} years` : "";
  parent.replaceChildren(
    el("h3", {}, patient ? `${[...(name?.given ?? []), name?.family ?? ""].join(" ")}${years}` : "The patient could not be read"),
    patient?.deceasedBoolean ? el("p", { class: "deceased" }, "Deceased") : "",
    el("table", {}, el("tbody", {}, rowsOf(chart, when, assessment).map(([label, shown]) =>
      el("tr", {}, el("th", { scope: "row" }, label), el("td", {}, shown))))),
    el("p", {}, el("a", { href: courseUrl, target: "_blank", rel: "noopener noreferrer" }, "The course as a picture")));
}

function rowsOf(chart, when, assessment) {
  const rows = [["Infusion", infusion(chart, when, assessment)]];
  if (!chart.observations) rows.push(["Signs and results", unread()]);
  else rows.push(...signs(chart.observations, when), ...results(chart.observations, when, assessment));
  rows.push(["Drugs given", drugs(chart, when)]);
  rows.push(["Diagnoses", listed(chart.conditions, (one) => one.code?.text ?? one.code?.coding?.[0]?.code ?? "without a code")]);
  const orders = chart.medicationOrders && chart.serviceOrders && [...chart.medicationOrders, ...chart.serviceOrders];
  rows.push(["Active orders", listed(orders, (one) => `${nameOf(one)}, ${when(one.authoredOn)}`)]);
  return rows;
}

const unread = () => el("strong", { class: "unread" }, "could not be read");

function listed(found, shown) {
  if (!found) return unread();
  return found.length ? el("ul", {}, found.map((one) => el("li", {}, shown(one)))) : "none on record";
}

const codeOf = (one) => one.code?.coding?.[0]?.code;
const valueOf = (one) => {
  const quantity = one.valueQuantity ?? one.component?.[0]?.valueQuantity;
  if (quantity) return `${quantity.comparator ?? ""}${quantity.value} ${UNITS[quantity.unit] ?? quantity.unit ?? ""}`;
  return one.valueCodeableConcept?.text ?? (one.valueInteger === undefined ? "no value" : String(one.valueInteger));
};

function signs(observations, when) {
  const latest = (code) => observations.find((one) => codeOf(one) === code);
  const shown = (code) => {
    const one = latest(code);
    return one ? [el("b", {}, valueOf(one)), ` ${when(one.effectiveDateTime)}`] : "none on record";
  };
  const device = latest(DEVICE);
  const beside = [FLOW, FIO2].map(latest).filter((one) => one && (!device || one.effectiveDateTime >= device.effectiveDateTime));
  const support = [device, ...beside].filter(Boolean);
  const oxygen = support.length
    ? [el("b", {}, support.map(valueOf).join(", ")), ` ${when(support[0].effectiveDateTime)}`] : "none on record";
  return [["Temperature", shown(TEMPERATURE)], ["Systolic BP", shown(PRESSURE)], ["SpO₂", shown(SPO2)],
    ["Oxygen", oxygen], ["Weight", shown(WEIGHT)]];
}

function results(observations, when, assessment) {
  const series = (code, fold) => {
    const found = observations.filter((one) => codeOf(one) === code);
    return listed(found, (one) => {
      const baseline = fold?.baseline?.reference === `Observation/${one.id}`;
      return [el("b", {}, valueOf(one)), ` ${when(one.effectiveDateTime)}`, baseline ? " · baseline" : ""];
    });
  };
  const others = observations.filter((one) => !IN_ROWS.has(codeOf(one)));
  const rows = [["IL-6", series(IL6, assessment?.il6)], ["CRP", series(CRP, assessment?.crp)]];
  if (others.length) {
    rows.push(["Other results", listed(others, (one) =>
      `${one.code?.coding?.[0]?.display || codeOf(one)}: ${valueOf(one)}, ${when(one.effectiveDateTime)}`)]);
  }
  return rows;
}

function given(chart) {
  const medications = Object.fromEntries(chart.administrations
    .filter((one) => one.resourceType === "Medication").map((one) => [`Medication/${one.id}`, one.code]));
  return chart.administrations.filter((one) => one.resourceType === "MedicationAdministration").map((one) => {
    const concept = one.medicationCodeableConcept ?? medications[one.medicationReference?.reference];
    const dose = one.dosage?.dose, rate = one.dosage?.rateQuantity;
    return {
      name: concept?.text ?? concept?.coding?.[0]?.display ?? "a drug without a name",
      at: one.effectivePeriod?.start ?? one.effectiveDateTime,
      amount: dose ? `${dose.value} ${dose.unit}` : rate ? `${rate.value} ${rate.unit}` : "",
      running: one.status === "in-progress",
    };
  }).sort((one, other) => (one.at < other.at ? 1 : -1));
}

function infusion(chart, when, assessment) {
  if (!chart.administrations) return unread();
  const found = given(chart).filter((one) => CAR_T.test(one.name));
  const day = assessment?.day === undefined ? "" : ` · day ${assessment.day} now`;
  return found.length ? found.map((one) => [el("b", {}, one.name), ` ${when(one.at)}${day}`]).flat() : "none on record";
}

function drugs(chart, when) {
  if (!chart.administrations) return unread();
  const found = given(chart).filter((one) => !CAR_T.test(one.name));
  const shown = listed(found.slice(0, MOST_DRUGS), (one) =>
    `${one.name} ${one.amount}${one.running ? " running since" : ","} ${when(one.at)}`);
  return found.length > MOST_DRUGS ? [shown, `and ${found.length - MOST_DRUGS} before`] : shown;
}

function ageOf(birthDate) {
  const born = new Date(birthDate), now = new Date();
  const had = now.getMonth() > born.getMonth() || (now.getMonth() === born.getMonth() && now.getDate() >= born.getDate());
  return now.getFullYear() - born.getFullYear() - (had ? 0 : 1);
}
