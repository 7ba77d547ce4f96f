"use strict";
// The page is complete without this file. It adds sorting to tables, and filters to answers and runs.

function compare(one, other) {
  const a = one.value, b = other.value;
  if (a === "" || b === "") return (a === "") - (b === "");
  const x = Number(a), y = Number(b);
  return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y;
}

function sortBy(table, place, descending) {
  for (const body of table.tBodies) {
    const lines = Array.from(body.rows, (row) => {
      const cell = row.cells[place];
      return { row, value: cell.dataset.value ?? cell.textContent.trim() };
    });
    const known = lines.filter((line) => line.value !== "").sort(compare);
    if (descending) known.reverse();
    body.append(...known.map((line) => line.row), ...lines.filter((line) => line.value === "").map((line) => line.row));
  }
}

function makeSortable(table) {
  const heads = Array.from(table.tHead.rows[table.tHead.rows.length - 1].cells);
  heads.forEach((head, place) => {
    if (!head.hasAttribute("data-sort")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.textContent = "↕";
    button.setAttribute("aria-label", `Sort by ${head.firstChild.firstChild?.textContent ?? head.textContent}`.trim());
    button.addEventListener("click", () => {
      const descending = head.getAttribute("aria-sort") === "ascending";
      for (const other of heads) {
        other.removeAttribute("aria-sort");
        const mark = other.querySelector(".sort");
        if (mark) mark.textContent = "↕";
      }
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      button.textContent = descending ? "↓" : "↑";
      sortBy(table, place, descending);
    });
    head.append(" ", button);
  });
}

function makeFilterable(table) {
  const bar = document.createElement("div");
  const label = document.createElement("label");
  const input = document.createElement("input");
  const count = document.createElement("span");
  bar.className = "filter";
  input.type = "search";
  count.setAttribute("role", "status");
  label.append("Show only lines with ", input);
  const choices = Array.from(table.tHead.rows[0].cells).filter((head) => head.hasAttribute("data-choose")).map(makeChoice);
  bar.append(...choices.map((choice) => choice.label), label, count);
  bar.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    let shown = 0;
    for (const row of table.tBodies[0].rows) {
      const chosen = choices.every(({ select, place }) => !select.value || row.cells[place].dataset.value === select.value);
      row.hidden = !chosen || !row.textContent.toLowerCase().includes(wanted);
      shown += !row.hidden;
    }
    const filtered = wanted || choices.some(({ select }) => select.value);
    count.textContent = filtered ? `${shown} of ${table.tBodies[0].rows.length}` : "";
  });
  table.parentElement.before(bar);
}

// A column whose few values can be chosen from.
function makeChoice(head) {
  const label = document.createElement("label");
  const select = document.createElement("select");
  const place = head.cellIndex;
  const cells = Array.from(head.closest("table").tBodies[0].rows, (row) => row.cells[place]);
  const titles = new Map(cells.map((cell) => [cell.dataset.value, cell.textContent.trim()]));
  select.append(new Option("all", ""), ...Array.from(titles, ([value, title]) => new Option(title, value)));
  label.append(`${head.dataset.choose} `, select);
  return { label, select, place };
}

document.querySelectorAll("table[data-sortable]").forEach(makeSortable);
document.querySelectorAll("table[data-filterable]").forEach(makeFilterable);
