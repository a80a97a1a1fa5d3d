// The Markdown of the page, drawn in place; HTML in it stays text. Without this script the reader sees the Markdown.

const markdown = markdownit({ html: false, linkify: false });
for (const text of document.querySelectorAll(".markdown")) {
  text.innerHTML = markdown.render(text.textContent);
  text.classList.add("drawn");
  for (const table of text.querySelectorAll("table")) scrolling(table);
}

// A table that is wider than a phone scrolls on its own, also by keyboard.
function scrolling(table) {
  const box = document.createElement("div");
  box.className = "scrolls";
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "table");
  table.replaceWith(box);
  box.append(table);
}
