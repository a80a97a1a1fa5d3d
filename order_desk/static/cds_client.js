// A CDS Hooks client: discovery, prefetch by the templates, calls, feedback. Nothing in it knows of this service.
// The browser reads the FHIR server itself (its CORS allows that) and fills the templates, so the raw view is what was
// sent.

const exchanges = [];
let noticed = () => {};

/** Everything sent and answered, newest first: {title, method, url, request, status, answer, ms}. */
export const sentSoFar = () => exchanges;
export const onExchange = (listener) => { noticed = listener; };

/** The answer as {status, ok, answer}; status 0 if there was none. */
async function send(title, method, url, request) {
  const began = performance.now();
  const exchange = { title, method, url, request, at: new Date(), status: 0, answer: undefined };
  try {
    const response = await fetch(url, request === undefined ? { method } : {
      method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(request),
    });
    exchange.status = response.status;
    exchange.answer = await response.json();
  } catch {
    // no answer, or one that is not JSON: `ok` says so
  }
  exchange.ms = Math.round(performance.now() - began);
  exchange.ok = exchange.status === 200 && exchange.answer !== undefined;
  exchanges.unshift(exchange);
  noticed();
  return exchange;
}

/** Discovery: the exchange, with `services` by their hook if it succeeded. */
export async function discovered(base) {
  const found = await send("discovery", "GET", `${base}/cds-services`);
  if (found.ok) found.services = Object.fromEntries(found.answer.services.map((service) => [service.hook, service]));
  return found;
}

/** The first page of every template; a key whose search fails is left out, as clients do. */
export async function filledPrefetch(service, fhirServer, context) {
  const found = {};
  await Promise.all(Object.entries(service.prefetch ?? {}).map(async ([key, template]) => {
    const query = template.replaceAll(/\{\{context\.(\w+)\}\}/g, (_, name) => encodeURIComponent(context[name]));
    try {
      found[key] = await fhirGet(fhirServer, query);
    } catch {
      // the service reads it by itself, or says what it lacks
    }
  }));
  return Object.fromEntries(Object.keys(service.prefetch ?? {}).filter((k) => k in found).map((k) => [k, found[k]]));
}

/** One answer of a FHIR server. Throws where it is not 200. */
export async function fhirGet(fhirServer, query) {
  const response = await fetch(`${fhirServer}/${query}`, { headers: { Accept: "application/fhir+json" } });
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

export async function called(base, service, fhirServer, context) {
  const prefetch = await filledPrefetch(service, fhirServer, context);
  const request = { hook: service.hook, hookInstance: crypto.randomUUID(), fhirServer, context, prefetch };
  return send(service.hook, "POST", `${base}/cds-services/${service.id}`, request);
}

/** Feedback on one card: undefined where it was taken, else what was wrong. */
export async function told(base, service, card, outcome) {
  const entry = { card: card.uuid, ...outcome, outcomeTimestamp: new Date().toISOString() };
  const url = `${base}/cds-services/${service.id}/feedback`;
  const answer = await send(`feedback: ${outcome.outcome}`, "POST", url, { feedback: [entry] });
  if (!answer.ok) return problemOf(answer);
  return Object.keys(answer.answer).length ? `the card is ${Object.keys(answer.answer).join(", ")}` : undefined;
}

/** What an answer that is none says, in one sentence. */
export function problemOf(exchange) {
  if (exchange.status === 0) return "the service did not answer";
  const said = (exchange.answer?.issue ?? []).map((issue) => issue.diagnostics ?? issue.details?.text).filter(Boolean);
  return [`HTTP ${exchange.status}`, ...said].join(": ");
}
