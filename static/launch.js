"use strict";

/* The launch form works without this file; it keeps the estimate up to date and helps with typing. */
(() => {
  const form = document.getElementById("launch-form");
  if (!form) return;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  /* The estimate and the list of GPUs ----------------------------------------------------------------------- */

  const timers = {};

  function soon(event, delayMs) {
    clearTimeout(timers[event]);
    timers[event] = setTimeout(() => window.htmx.trigger(event === "preview" ? "#estimate" : "#gpus", event), delayMs);
  }

  function changed(target, delayMs) {
    if (!target.matches("[data-preview]")) return;
    soon("preview", delayMs);
    if (target.dataset.preview === "market") soon("market", delayMs);
  }

  form.addEventListener("input", (event) => changed(event.target, 400));
  form.addEventListener("change", (event) => changed(event.target, 50));
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target.id === "gpus") soon("preview", 50);
  });

  /* A launch costs money: Enter in a field does not start one. */
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("input")) event.preventDefault();
  });

  /* Title and image ----------------------------------------------------------------------------------------- */

  const title = $("#id_title");
  const cloudTitle = $("[data-cloud-title]");

  function showCloudTitle() {
    const plain = title.value.normalize("NFKD").replace(/[^\x20-\x7e]/g, "").replace(/\s+/g, " ").trim().slice(0, 60).trim();
    cloudTitle.hidden = !title.value.trim() || plain === title.value.trim();
    $("[data-cloud-title-text]").textContent = plain || "Job";
  }

  title?.addEventListener("input", showCloudTitle);
  if (title) showCloudTitle();

  $("#id_image")?.addEventListener("change", (event) => {
    const match = /^(.*[^/]):([^:/@]+)$/.exec(event.target.value.trim());
    const tag = $("#id_tag");
    if (!match || !tag || tag.disabled || match[1].includes("@") || (tag.value && tag.value !== "latest" && tag.value !== match[2])) return;
    [event.target.value, tag.value] = [match[1], match[2]];
  });

  /* The SSH key: a private one is taken out by app.js before this sees it. ------------------------------------- */

  function keyIsGiven() {
    return $$("[data-ssh-key]").some((text) => {
      const from = $("[data-ssh-from]", text.closest(".field"));
      return from && from.value !== "other" ? from.value !== "none" : text.value.trim() !== "";
    });
  }

  function noteKey() {
    const given = $('[name="ssh_key_given"]');
    const now = keyIsGiven() ? "yes" : "";
    if (given.value !== now) soon("preview", 50);
    given.value = now;
  }

  form.addEventListener("input", (event) => {
    if (!event.target.matches("[data-ssh-key], [data-ssh-from]")) return;
    noteKey();
  });

  /* Words beside a fold's name ------------------------------------------------------------------------------ */

  function count() {
    for (const place of $$("[data-count]")) {
      const ticked = $$(`[name="${place.dataset.count}"]:checked`).length;
      place.textContent = ticked ? `${ticked} chosen` : place.dataset.countNone;
    }
  }

  form.addEventListener("change", count);
  count();

  /* A suggested GPU is chosen by its chip; where it is folded away, its place opens. */
  form.addEventListener("change", (event) => {
    const place = event.target.closest(".gpu")?.closest("details");
    if (place) place.open = true;
  });

  /* A launch from the review's dialog goes on below it. */
  form.addEventListener("submit", () => document.getElementById("dialog")?.close());

  /* After a refusal, to the first fault. */
  const fault = $('[aria-invalid="true"]', form) || $(".field-error", form) || $(".launch-confirm .btn", form);
  for (let box = fault?.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  fault?.scrollIntoView({ block: "center" });
  if (fault?.matches("input, select, textarea, button")) fault.focus({ preventScroll: true });
})();
