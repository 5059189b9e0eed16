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

  title.addEventListener("input", showCloudTitle);
  showCloudTitle();

  $("#id_image").addEventListener("change", (event) => {
    const match = /^(.*[^/]):([^:/@]+)$/.exec(event.target.value.trim());
    const tag = $("#id_tag");
    if (!match || match[1].includes("@") || (tag.value && tag.value !== "latest" && tag.value !== match[2])) return;
    [event.target.value, tag.value] = [match[1], match[2]];
  });

  /* The SSH key: a private one is taken out at once, before it can be sent anywhere. --------------------------- */

  $("#id_ssh_key").addEventListener("input", (event) => {
    if (/PRIVATE KEY/.test(event.target.value)) {
      event.target.value = "";
      window.dw.toast("That was a private key. It was removed and not sent. Paste the line of the .pub file.", "error");
    }
    const given = $('[name="ssh_key_given"]');
    const now = event.target.value.trim() ? "yes" : "";
    if (given.value !== now) soon("preview", 50);
    given.value = now;
  });

  /* Environment --------------------------------------------------------------------------------------------- */

  const SECRET = /TOKEN|KEY|SECRET|PASS|CRED|AUTH/i;
  const LINE = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)$/;

  function markSecret(row) {
    const kind = $("[data-env-kind]", row);
    const value = $("[data-env-value]", row);
    const byName = SECRET.test($("[data-env-name]", row).value);
    const secret = kind.value === "secret" || (kind.value === "" && byName);
    kind.options[0].textContent = byName ? "Secret by name" : "Plain by name";
    if (row.classList.contains("is-plain") === !secret) return;
    row.classList.toggle("is-plain", !secret);
    value.type = secret ? "password" : "text";
    value.autocomplete = secret ? "new-password" : "off";
  }

  function refreshRows() {
    $$(".env-row").forEach(markSecret);
  }

  form.addEventListener("input", (event) => {
    const row = event.target.closest(".env-row");
    if (row && !event.target.matches("[data-env-value]")) markSecret(row);
  });

  function freeRow() {
    const empty = $$(".env-row:not(.is-removed)").find(
      (row) => !$("[data-env-name]", row).value && !$("[data-env-value]", row).value,
    );
    if (empty) return empty;
    $("[data-add-row]").click();
    return $$(".env-row").at(-1);
  }

  /* Fills rows from NAME=value lines; gives back the lines that are none. */
  function addLines(text) {
    const others = [];
    for (const line of text.split(/\r?\n/)) {
      if (!line.trim() || line.trim().startsWith("#")) continue;
      const match = LINE.exec(line);
      if (!match) {
        others.push(line);
        continue;
      }
      const row = freeRow();
      $("[data-env-name]", row).value = match[1];
      $("[data-env-value]", row).value = match[2].trim().replace(/^(["'])(.*)\1$/, "$2");
      markSecret(row);
    }
    return others;
  }

  form.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text") || "";
    if (!event.target.matches("[data-env-name]") || !LINE.test(text.split("\n")[0])) return;
    event.preventDefault();
    addLines(text);
  });

  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-env-lines]");
    if (!button) return;
    const box = $(button.dataset.envLines);
    box.value = addLines(box.value).join("\n");
  });

  new MutationObserver(refreshRows).observe($("#env-rows"), { childList: true });
  refreshRows();

  /* Words beside a fold's name ------------------------------------------------------------------------------ */

  function count() {
    for (const place of $$("[data-count]")) {
      const ticked = $$(`[name="${place.dataset.count}"]:checked`).length;
      place.textContent = ticked ? `${ticked} chosen` : place.dataset.countNone;
    }
  }

  form.addEventListener("change", count);
  count();

  /* After a refusal, to the first fault. */
  const fault = $('[aria-invalid="true"]', form) || $(".field-error", form);
  fault?.scrollIntoView({ block: "center" });
  if (fault?.matches("input, select, textarea")) fault.focus({ preventScroll: true });
})();
