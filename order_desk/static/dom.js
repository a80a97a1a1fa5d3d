// Elements without HTML in strings: what a record holds goes in as text.

/** `el("p", {class: "quiet"}, "text", another)`; a property such as `onclick` takes a function. */
export function el(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (typeof value === "function") made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child !== undefined && child !== false && child !== ""));
  return made;
}

export const byId = (id) => document.getElementById(id);

/** Puts new children in, and the focus back on what has the same `data-key` as what had it. */
export function redraw(parent, ...children) {
  const focused = parent.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  parent.replaceChildren(...children.flat());
  if (focused) parent.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

/** Times in the facility's zone, as the cards write them: 9 Mar 06:00. */
export function clockOf(zone) {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone, day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  });
  return (instant) => {
    const parts = Object.fromEntries(format.formatToParts(new Date(instant)).map((part) => [part.type, part.value]));
    return `${parts.day} ${parts.month.slice(0, 3)} ${parts.hour}:${parts.minute}`;
  };
}
