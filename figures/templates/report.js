// Filters of long tables, and chapters that open when a link leads into them. The page reads without it.
for (const table of document.querySelectorAll("table.long")) {
  const label = document.createElement("label");
  label.className = "filter";
  label.textContent = "Only rows that contain";
  const field = label.appendChild(document.createElement("input"));
  field.type = "search";
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/);
    for (const row of table.tBodies[0].rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
  });
  table.parentElement.before(label);
}
function reveal() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  target.scrollIntoView();
}
addEventListener("hashchange", reveal);
reveal();
