"use strict";

/* The recipe editor works without this file; it asks for a type's fields at once and helps with typing. */
(() => {
  const form = document.getElementById("recipe-form");
  if (!form) return;

  const keyOf = (label) =>
    label.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^[^a-z]+|_+$/g, "").slice(0, 40);

  form.addEventListener("change", (event) => {
    if (!event.target.matches("[data-recipe-type]")) return;
    event.target.closest(".field").querySelector("[data-recipe-refresh]").click();
  });

  /* A key follows its label until somebody writes one. */
  form.addEventListener("input", (event) => {
    const row = event.target.closest(".input-row");
    if (!row) return;
    const key = row.querySelector("[data-recipe-key]");
    if (event.target === key) key.dataset.own = "yes";
    if (!event.target.matches("[data-recipe-label]")) return;
    row.querySelector("summary .question-name").textContent = event.target.value.trim() || "New input";
    if (key.dataset.own || (key.value && !key.dataset.follows)) return;
    key.value = keyOf(event.target.value);
    key.dataset.follows = "yes";
  });

  /* Leaving with something unsaved asks first. */
  let changed = Boolean(document.querySelector(".editor-faults, .conflict-fold"));
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });

  /* After a refusal, to the first fault. */
  const fault = form.querySelector('[aria-invalid="true"]') || form.querySelector(".field-error, .yaml-faults");
  fault?.scrollIntoView({ block: "center" });
  if (fault?.matches("input, select, textarea")) fault.focus({ preventScroll: true });
})();
