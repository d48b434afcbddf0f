"use strict";
const filter = document.getElementById("filter");
const rows = [...document.querySelectorAll(".row")];
const groups = [...document.querySelectorAll(".group")];
const texts = new Map();

function textOf(row) {
  if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
  return texts.get(row);
}

function show() {
  const chosen = new FormData(filter);
  const outcomes = chosen.getAll("outcome");
  const tiers = chosen.getAll("tier");
  const words = document.getElementById("text").value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    const has = row.dataset.outcomes.split("|");
    row.hidden = !(
      (!outcomes.length || outcomes.some((outcome) => has.includes(outcome))) &&
      (!tiers.length || tiers.includes(row.dataset.tier)) &&
      (!chosen.has("changed") || "changed" in row.dataset) &&
      words.every((word) => textOf(row).includes(word))
    );
    shown += !row.hidden;
  }
  for (const group of groups) group.hidden = !group.querySelector(".row:not([hidden])");
  document.getElementById("none").hidden = shown > 0;
  document.getElementById("shown").textContent = `${shown} of ${rows.length} requirements`;
}

// A link to a requirement shows it even if the filter hides it.
function goTo() {
  const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!row || !row.matches(".row")) return;
  if (row.hidden) {
    filter.reset();
    show();
  }
  const cell = row.querySelector(".cell.fails, .cell.stale, .cell.expired, .cell.error");
  if (cell) cell.open = true;
  (cell || row).querySelector("summary").focus({ preventScroll: true });
  row.scrollIntoView();
}

filter.hidden = false;
filter.addEventListener("input", show);
filter.addEventListener("submit", (event) => event.preventDefault());
filter.addEventListener("reset", () => setTimeout(show)); // after the fields are empty
addEventListener("hashchange", goTo);

// Failures are printed open, and closed again afterwards.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll(".cell:is(.fails, .stale, .expired, .error):not([open])")];
  for (const cell of opened) cell.open = true;
});
addEventListener("afterprint", () => {
  for (const cell of opened) cell.open = false;
});

show();
goTo();
