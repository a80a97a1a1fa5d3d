// The raw requests and answers beside the desk, to read and to copy.

import { onExchange, sentSoFar } from "./cds_client.js";
import { byId, el } from "./dom.js";

const pretty = (body) => (body === undefined ? "(none)" : JSON.stringify(body, null, 2));

/** Keeps the list in step with what is sent; the newest is shown. `say` tells that something was copied. */
export function watchExchanges(say) {
  const list = byId("exchange");
  onExchange(() => {
    list.replaceChildren(...sentSoFar().map((one, index) =>
      el("option", { value: index }, `${one.title} · ${one.status || "no answer"} · ${one.ms} ms`)));
    show(sentSoFar()[0]);
  });
  list.addEventListener("change", () => show(sentSoFar()[list.value]));
  for (const part of ["request", "answer"]) {
    byId(`copy-${part}`).addEventListener("click", async () => {
      await navigator.clipboard.writeText(byId(part).textContent);
      say(`The ${part} was copied.`);
    });
  }
}

function show(exchange) {
  byId("address").textContent = `${exchange.method} ${exchange.url}`;
  byId("request").textContent = pretty(exchange.request);
  byId("answer").textContent = pretty(exchange.answer);
}
