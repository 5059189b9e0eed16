"use strict";

/* The jobs table: rows are the same for all readers, so the reader's own stars are put on here. */
(() => {
  const live = () => document.getElementById("jobs-live");

  function markStars() {
    const part = live();
    if (!part) return;
    const starred = new Set((part.dataset.starred || "").split(" ").filter(Boolean));
    for (const row of part.querySelectorAll('tr[id^="job-"]')) {
      row.classList.toggle("is-starred", starred.has(row.id.slice(4)));
    }
  }

  /* “Mine” and another owner exclude each other: what was chosen last counts. */
  document.addEventListener("change", (event) => {
    const form = event.target.closest("#jobs-filter");
    if (!form) return;
    if (event.target.name === "owner" && event.target.value && form.elements.whose.value === "mine") {
      form.querySelector("#whose-team").checked = true;
    }
    if (event.target.name === "whose" && event.target.value === "mine" && form.elements.owner) {
      form.elements.owner.value = "";
    }
  }, true);

  document.addEventListener("htmx:afterSwap", markStars);
  markStars();
})();
