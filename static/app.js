"use strict";

/* Pages work without this file; it makes them quicker to use: copy buttons, dialogs, menus, shortcuts, form rows. */
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const spriteUrl = document.documentElement.dataset.icons;

  function icon(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", `${spriteUrl}#${name}`);
    svg.append(use);
    return svg;
  }

  /* Toasts ------------------------------------------------------------------------------------------------- */

  const TONES = { success: "green", error: "red", warning: "amber", info: "blue" };
  const ICONS = { success: "check", error: "status-alarm", warning: "warning", info: "info" };

  /* level: success, info, warning, error. Errors stay until closed; a text already shown is not shown twice. */
  function toast(text, level = "info") {
    const shelf = $("#toasts");
    if (!shelf || $$(".toast-note p", shelf).some((shown) => shown.textContent === text)) return;
    const note = document.createElement("div");
    note.className = `toast-note tone-${TONES[level] || "blue"}`;
    if (level === "error") note.setAttribute("role", "alert");
    const mark = icon(ICONS[level] || "info");
    mark.classList.add("icon-lg");
    const words = document.createElement("p");
    words.textContent = text;
    const close = document.createElement("button");
    close.type = "button";
    close.className = "btn-close-quiet";
    close.setAttribute("aria-label", "Dismiss");
    close.append(icon("close"));
    close.addEventListener("click", () => note.remove());
    note.append(mark, words, close);
    shelf.append(note);
    if (level !== "error") leaveLater(note);
  }

  /* Not while somebody reads it or is about to close it. */
  function leaveLater(note) {
    setTimeout(() => (note.matches(":hover, :focus-within") ? leaveLater(note) : note.remove()), 7000);
  }

  /* A private key that is pasted for a public one is taken out at once, before anything can read or send it. */

  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-ssh-key]") || !/PRIVATE KEY/.test(event.target.value)) return;
    event.target.value = "";
    toast("That was a private key. It was removed and not sent. Paste the line of the .pub file.", "error");
  }, true);

  /* Copying ------------------------------------------------------------------------------------------------ */

  async function copy(button) {
    const source = button.dataset.copy && $(button.dataset.copy);
    const text = source ? source.value ?? source.textContent.trim() : button.dataset.copyText;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      copyBySelection(text);
    }
    button.classList.add("copied");
    const label = $("[data-copy-label]", button);
    const before = label?.textContent;
    if (label) label.textContent = "Copied";
    else toast("Copied", "success");
    setTimeout(() => {
      button.classList.remove("copied");
      if (label) label.textContent = before;
    }, 1600);
  }

  /* The clipboard API is missing on plain http:// from another machine. */
  function copyBySelection(text) {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }

  /* Dialogs ------------------------------------------------------------------------------------------------ */

  function open(dialog) {
    if (dialog && !dialog.open) dialog.showModal();
  }

  let confirmed = null;

  /* Ask in our own dialog; `then` runs when the answer is yes. */
  function ask(question, yes, then) {
    const dialog = $("#ask-dialog");
    if (!dialog) return then();
    $("[data-ask-text]", dialog).textContent = question;
    $("[data-ask-yes]", dialog).textContent = yes || "Yes, go on";
    confirmed = then;
    open(dialog);
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.confirm && form.dataset.confirmed !== "yes") {
      event.preventDefault();
      event.stopImmediatePropagation();
      const submitter = event.submitter;
      ask(form.dataset.confirm, form.dataset.confirmYes, () => {
        form.dataset.confirmed = "yes";
        form.requestSubmit(submitter);
        delete form.dataset.confirmed;
      });
      return;
    }
    holdDoubleSubmit(event);
  }, true);

  /* A second click must not send a second time. The server refuses it anyway; here nobody is left wondering. */
  function holdDoubleSubmit(event) {
    const form = event.target;
    const byHtmx = form.closest("[hx-post], [hx-get], [hx-put], [hx-delete]") === form;
    if (byHtmx || form.method !== "post" || form.target) return;
    if (form.dataset.sending) {
      event.preventDefault();
      return;
    }
    form.dataset.sending = "yes";
    event.submitter?.classList.add("is-busy");
  }

  addEventListener("pageshow", () => {
    $$("form[data-sending]").forEach((form) => delete form.dataset.sending);
    $$(".btn.is-busy").forEach((button) => button.classList.remove("is-busy"));
  });

  /* Form rows ---------------------------------------------------------------------------------------------- */

  /* <button data-add-row="#template" data-add-to="#rows" data-total="id_env-TOTAL_FORMS"> of a Django formset. */
  function addRow(button) {
    const total = document.getElementById(button.dataset.total);
    const markup = $(button.dataset.addRow).innerHTML.replaceAll("__prefix__", total.value);
    const rows = $(button.dataset.addTo);
    rows.insertAdjacentHTML("beforeend", markup);
    total.value = Number(total.value) + 1;
    window.htmx?.process(rows.lastElementChild);
    $("input, select, textarea", rows.lastElementChild)?.focus();
  }

  /* The row stays in the form, marked for deletion, so that the numbering of the others holds. */
  function removeRow(button) {
    const row = button.closest(".form-row");
    const mark = $('input[name$="-DELETE"]', row);
    if (mark) mark.checked = true;
    row.classList.add("is-removed");
    $$("input, select, textarea", row).forEach((input) => input.removeAttribute("required"));
    $(".form-row:not(.is-removed) input", row.parentElement)?.focus();
  }

  function reveal(button) {
    const input = $(button.dataset.reveal);
    const show = input.type === "password";
    input.type = show ? "text" : "password";
    button.setAttribute("aria-pressed", String(show));
    $("use", button)?.setAttribute("href", `${spriteUrl}#${show ? "hide" : "show"}`);
  }

  /* Clicks ------------------------------------------------------------------------------------------------- */

  const CLICKS = {
    "[data-copy], [data-copy-text]": copy,
    "[data-dialog]": (link) => open($(link.dataset.dialog)),
    "[data-close]": (button) => button.closest("dialog")?.close(),
    "[data-dismiss]": (button) => button.closest(button.dataset.dismiss).remove(),
    "[data-add-row]": addRow,
    "[data-remove-row]": removeRow,
    "[data-reveal]": reveal,
    "[data-theme-choice]": (button) => chooseTheme(button.dataset.themeChoice),
    "[data-ask-yes]": (button) => {
      button.closest("dialog").close();
      confirmed?.();
    },
  };

  /* Text that is marked with the mouse may end outside of the dialog: that closes nothing. */
  let pressedOn = null;
  document.addEventListener("pointerdown", (event) => { pressedOn = event.target; });

  document.addEventListener("click", (event) => {
    for (const [selector, act] of Object.entries(CLICKS)) {
      const target = event.target.closest(selector);
      if (!target || target === document.documentElement) continue;
      event.preventDefault();
      act(target);
    }
    if (event.target.matches("dialog") && pressedOn === event.target) event.target.close();
    $$("details.menu[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = event.target.closest?.("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    $("summary", menu).focus();
  });

  function chooseTheme(choice) {
    window.dwTheme.choose(choice);
    markTheme();
  }

  function markTheme() {
    $$("button[data-theme-choice]").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === window.dwTheme.choice()));
    });
  }

  /* Who points at words that an ellipsis cuts off reads all of them. */
  document.addEventListener("mouseover", (event) => {
    const cut = event.target.closest?.(".row-title, .line-2, .status-detail");
    if (cut && !cut.title && cut.scrollWidth > cut.clientWidth) cut.title = cut.textContent;
  });

  /* Filters and bulk selection ----------------------------------------------------------------------------- */

  let typing = 0;

  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-autosubmit][hx-get]");
    if (!form || !event.target.matches('[type="search"], [type="text"]')) return;
    clearTimeout(typing);
    typing = setTimeout(() => form.requestSubmit(), 300);
  });

  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-autosubmit]");
    if (form && !event.target.matches("[data-select], [data-select-all]")) form.requestSubmit();
    if (event.target.matches("[data-select-all]")) {
      $$("[data-select]").forEach((box) => { box.checked = event.target.checked; });
    }
    countSelected();
  });

  function countSelected() {
    const boxes = $$("[data-select]");
    const chosen = boxes.filter((box) => box.checked).length;
    $$("[data-bulk-bar]").forEach((bar) => { bar.hidden = chosen === 0; });
    $$("[data-bulk-count]").forEach((count) => { count.textContent = chosen; });
    $$("[data-select-all]").forEach((all) => {
      all.checked = chosen > 0 && chosen === boxes.length;
      all.indeterminate = chosen > 0 && chosen < boxes.length;
    });
  }

  /* Shortcuts ---------------------------------------------------------------------------------------------- */

  const OFF = "dw-shortcuts-off";
  let pressed = "";
  let pressedAt = 0;

  function shortcutsOff() {
    try {
      return localStorage.getItem(OFF) === "yes";
    } catch {
      return false;
    }
  }

  document.addEventListener("keydown", (event) => {
    const typingNow = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (typingNow || event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]") || shortcutsOff()) return;
    pressed = event.timeStamp - pressedAt < 1200 && pressed === "g" ? `g ${event.key}` : event.key;
    pressedAt = event.timeStamp;
    const target = $$("[data-key]").find((element) => element.dataset.key === pressed);
    if (!target) return onRow(event);
    event.preventDefault();
    if (target.matches("input")) target.select();
    target.matches("input") ? target.focus() : target.click();
  });

  /* From row to row of a table; the link of the row has the focus, so Enter opens it. */
  function onRow(event) {
    const step = { j: 1, k: -1 }[pressed];
    const row = document.activeElement.closest("tr");
    if (pressed === "x") return $("[data-select]", row || document.createElement("tr"))?.click();
    const links = step ? $$("tbody a.row-title").filter((link) => link.checkVisibility()) : [];
    const at = links.findIndex((link) => row?.contains(link));
    const next = links[at < 0 ? 0 : at + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }

  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-shortcuts]")) return;
    try {
      localStorage.setItem(OFF, event.target.checked ? "no" : "yes");
    } catch {
      toast("This browser keeps no settings: shortcuts stay on.", "warning");
    }
  });

  $$("[data-shortcuts]").forEach((box) => { box.checked = !shortcutsOff(); });
  $$("[data-time-zone]").forEach((field) => { field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || ""; });
  $$(".tabs [aria-current]").forEach((tab) => { tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.offsetLeft - 16; });
  markTheme();
  countSelected();

  window.dw = { toast, ask, open, countSelected };
})();
