"use strict";

/* Rows of environment variables: what is secret is hidden while it is typed, pasted lines become rows. */
(() => {
  const form = document.getElementById("launch-form");
  if (!form) return;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  const SECRET = /TOKEN|KEY|SECRET|PASS|CRED|AUTH/i;
  const LINE = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)$/;

  function markSecret(row) {
    const kind = $("[data-env-kind]", row);
    const value = $("[data-env-value]", row);
    const byName = SECRET.test($("[data-env-name]", row).value);
    const secret = kind.value === "secret" || kind.value.startsWith("team:") || (kind.value === "" && byName);
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

  function freeRow(place) {
    const empty = $$(".env-row:not(.is-removed)", place).find(
      (row) => !$("[data-env-name]", row).value && !$("[data-env-value]", row).value,
    );
    if (empty) return empty;
    $("[data-add-row]", place).click();
    return $$(".env-row", place).at(-1);
  }

  /* Fills rows from NAME=value lines; gives back the lines that are none. */
  function addLines(text, place) {
    const others = [];
    for (const line of text.split(/\r?\n/)) {
      if (!line.trim() || line.trim().startsWith("#")) continue;
      const match = LINE.exec(line);
      if (!match) {
        others.push(line);
        continue;
      }
      const row = freeRow(place);
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
    addLines(text, event.target.closest("[data-env-rows]"));
  });

  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-env-lines]");
    if (!button) return;
    const box = $(button.dataset.envLines);
    box.value = addLines(box.value, $("[data-env-rows]", button.closest("section"))).join("\n");
  });

  for (const rows of $$("[data-env-rows] > .form-rows")) {
    new MutationObserver(refreshRows).observe(rows, { childList: true });
  }
  refreshRows();
})();
