// Filters what the page shows. Without this script, the form is hidden and everything is shown.
"use strict";
(() => {
  const form = document.getElementById("filter");
  const items = [...document.querySelectorAll("[data-result]")];
  // A group is hidden if nothing in it is shown. Groups may be nested.
  const groups = [...document.querySelectorAll(".group")];
  const foldable = [...document.querySelectorAll("details")];
  const openAll = document.getElementById("open");

  const apply = () => {
    const boxes = [...form.querySelectorAll("input[name=result]")];
    const results = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const area = form.elements.area.value;
    const isWanted = (item) => results.has(item.dataset.result) && (area === "" || item.dataset.area === area);
    for (const item of items) item.hidden = !isWanted(item);
    for (const group of groups) group.hidden = !group.querySelector("[data-result]:not([hidden])");
    const rows = items.filter((item) => item.matches("tr"));
    const shown = rows.filter((row) => !row.hidden);
    document.getElementById("shown").textContent = `${shown.length} of ${rows.length} checks shown`;
    if (area !== "") shown.forEach(reveal);
  };

  // Opens what is folded around an element.
  const reveal = (element) => {
    for (let outer = element.closest("details"); outer; outer = outer.parentElement.closest("details")) {
      outer.open = true;
    }
  };

  const setAll = (open) => {
    for (const details of foldable) details.open = open;
    openAll.textContent = open ? "Close all" : "Open all";
  };

  // A link must lead to something, although it may have been filtered.
  const follow = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target) return;
    if (target.closest("[hidden]")) {
      form.reset();
      apply();
    }
    reveal(target);
    target.scrollIntoView();
  };

  form.addEventListener("change", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  // The event comes before the fields have their first values again.
  form.addEventListener("reset", () => setTimeout(apply));
  openAll.addEventListener("click", () => setAll(openAll.textContent === "Open all"));
  window.addEventListener("hashchange", follow);

  // Paper cannot be opened.
  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = foldable.filter((details) => !details.open);
    for (const details of closed) details.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
  });

  form.hidden = false;
  apply();
  follow();
})();
