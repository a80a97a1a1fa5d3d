// Markdown of the page, drawn where it stands; HTML in it stays text. Without this script it is read as it is.

const markdown = markdownit({ html: false, linkify: false });
for (const text of document.querySelectorAll(".markdown")) {
  text.innerHTML = markdown.render(text.textContent);
  text.classList.add("drawn");
  for (const table of text.querySelectorAll("table")) scrolling(table);
}

// A table that is wider than a phone scrolls by itself, by the keyboard too.
function scrolling(table) {
  const box = document.createElement("div");
  box.className = "scrolls";
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "table");
  table.replaceWith(box);
  box.append(table);
}
