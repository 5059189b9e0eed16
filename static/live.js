"use strict";

/* What moves: ticking times and costs, polling, and what is said when a request fails. */
(() => {
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const NBSP = "\u00a0";

  /* The clock -------------------------------------------------------------------------------------------- */

  const served = Date.parse(document.querySelector('meta[name="server-time"]')?.content || "");
  const skewMs = Number.isNaN(served) ? 0 : served - Date.now();
  const now = () => Date.now() + skewMs;

  /* "42 s", "41 min", "3 h 05 min", "2 d 4 h" */
  function duration(ms) {
    const s = Math.max(0, Math.floor(ms / 1000));
    const min = Math.floor(s / 60);
    const h = Math.floor(min / 60);
    if (s < 60) return `${s}${NBSP}s`;
    if (min < 60) return `${min}${NBSP}min`;
    if (h < 24) return `${h}${NBSP}h${NBSP}${String(min % 60).padStart(2, "0")}${NBSP}min`;
    return `${Math.floor(h / 24)}${NBSP}d${NBSP}${h % 24}${NBSP}h`;
  }

  const dollars = (digits) => new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", minimumFractionDigits: digits });
  const money = dollars(2);
  const smallMoney = dollars(3); // below a dollar a cent takes minutes: one more digit shows that it moves

  const TICKS = {
    age: (element) => `${duration(now() - at(element))} ago`,
    until: (element) => (at(element) > now() ? `in ${duration(at(element) - now())}` : "now"),
    runtime: (element) => duration(now() - at(element)),
    minutes: (element) => {
      const span = now() - at(element);
      return span < 60_000 ? duration(span) : String(Math.floor(span / 60_000));
    },
    cost: (element) => {
      const { rateUsdPerHour, since, baseUsd } = element.dataset;
      const hours = since ? Math.max(0, now() - Date.parse(since)) / 3_600_000 : 0;
      const usd = Number(baseUsd || 0) + Number(rateUsdPerHour || 0) * hours;
      return (usd < 1 ? smallMoney : money).format(usd);
    },
  };

  const at = (element) => Date.parse(element.getAttribute("datetime"));

  function tick(root = document) {
    for (const element of $$("[data-tick]", root)) {
      const text = TICKS[element.dataset.tick]?.(element);
      if (text && !text.includes("NaN") && element.textContent !== text) element.textContent = text;
    }
    for (const bar of $$("progress[data-gauge-since]", root)) {
      const seconds = (now() - Date.parse(bar.dataset.gaugeSince)) / 1000;
      if (!Number.isNaN(seconds)) bar.value = Math.min(Math.max(0, seconds), bar.max);
    }
    for (const line of $$("[data-late-after-s]", root)) {
      const time = line.querySelector("time");
      if (time) line.classList.toggle("is-late", now() - at(time) > Number(line.dataset.lateAfterS) * 1000);
    }
  }

  /* Polling: <div hx-get="…" hx-trigger="poll" data-poll-ms="2000"> ----------------------------------------- */

  const due = new WeakMap();
  const underWay = new WeakSet();
  let failures = 0;

  function poll(all = false) {
    for (const element of $$("[data-poll-ms]")) {
      const everyMs = Number(element.dataset.pollMs);
      if (!everyMs || underWay.has(element)) continue;
      if (!due.has(element)) due.set(element, performance.now() + everyMs);
      if (!all && performance.now() < due.get(element)) continue;
      due.set(element, performance.now() + Math.min(everyMs * 2 ** failures, Math.max(everyMs, 30_000)));
      window.htmx.trigger(element, "poll");
    }
  }

  const isPoll = (event) => event.detail.elt?.dataset?.pollMs !== undefined;

  document.addEventListener("htmx:beforeRequest", (event) => underWay.add(event.detail.elt));
  document.addEventListener("htmx:afterRequest", (event) => {
    underWay.delete(event.detail.elt);
    if (!isPoll(event)) return;
    const well = event.detail.successful || event.detail.xhr?.status === 204;
    failures = well ? 0 : Math.min(failures + 1, 4);
    showConnection(well);
  });

  function showConnection(well) {
    const banner = document.getElementById("connection-banner");
    if (banner) banner.hidden = well || failures < 2;
  }

  let timer = 0;
  let leaving = false;

  function run() {
    clearInterval(timer);
    if (document.hidden || leaving) return;
    tick();
    timer = setInterval(() => {
      tick();
      poll();
    }, 1000);
  }

  document.addEventListener("visibilitychange", () => {
    run();
    if (!document.hidden && !leaving) poll(true);
  });
  addEventListener("pageshow", () => {
    leaving = false;
    run();
  });
  document.addEventListener("refresh", () => poll(true));

  /* Answers ------------------------------------------------------------------------------------------------ */

  const loginPath = document.body.dataset.loginUrl;

  /* Once: a second poll that came back would begin the way to the sign-in page anew. */
  function signIn() {
    if (leaving) return;
    leaving = true;
    clearInterval(timer);
    location.assign(`${loginPath}?next=${encodeURIComponent(location.pathname + location.search)}`);
  }

  /* <a href="…" data-asks>: the page that it leads to opens as a dialog. */
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-asks]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    window.htmx.ajax("GET", link.href, { source: link, target: "#dialog-content" });
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    const landed = xhr.responseURL && new URL(xhr.responseURL).pathname;
    if (loginPath && (xhr.status === 401 || landed === loginPath)) {
      event.detail.shouldSwap = false;
      event.detail.isError = false;
      signIn();
    }
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    tick();
    window.dw.countSelected();
    if (event.detail.target.id === "dialog-content") window.dw.open(document.getElementById("dialog"));
  });

  const SENTENCES = {
    0: "The server cannot be reached, so nothing was changed as far as we know. Check your connection, look at the page, then try again.",
    403: "You may not do this. Your role in this team may have changed: reload the page.",
    404: "This is no longer here, or you have no access to it. Reload the page.",
    409: "Somebody was faster: this has changed meanwhile. Reload the page and look again.",
    413: "That is too large to be sent.",
    429: "Too many requests. Wait a minute, then try again.",
    503: "The server is starting or under maintenance. Try again in a minute.",
  };

  function complain(event) {
    if (isPoll(event)) return;
    const { xhr } = event.detail;
    const status = xhr?.status || 0;
    const sentence = SENTENCES[status]
      || (status >= 500 ? "The server made a mistake and it was logged. Reload the page to see what happened, before you try again."
        : "The server refused this request. Reload the page and try again.");
    window.dw.toast(sentence, "error");
  }

  document.addEventListener("htmx:responseError", complain);
  document.addEventListener("htmx:sendError", complain);
  document.addEventListener("htmx:timeout", complain);

  document.addEventListener("htmx:confirm", (event) => {
    if (!event.detail.question) return;
    event.preventDefault();
    window.dw.ask(event.detail.question, event.detail.elt.dataset.confirmYes, () => event.detail.issueRequest(true));
  });

  /* Events a response may send in its HX-Trigger header, also on 204 */
  document.addEventListener("toast", (event) => window.dw.toast(event.detail.text, event.detail.level));
  document.addEventListener("close-dialog", () => document.getElementById("dialog")?.close());
  document.addEventListener("shell", (event) => {
    for (const [name, value] of Object.entries(event.detail)) {
      $$(`[data-shell="${name}"]`).forEach((element) => {
        if (element.tagName === "TIME") element.setAttribute("datetime", value);
        else element.textContent = value;
      });
    }
    tick();
  });

  /* A live part names the banners that hold now; a page that shows others fetches them. */
  document.addEventListener("frame", (event) => {
    const banners = document.getElementById("banners");
    if (!banners?.dataset.url || banners.dataset.shown === event.detail.banners) return;
    window.htmx.ajax("GET", banners.dataset.url, { target: banners, swap: "outerHTML" });
  });

  /* A morph keeps what the reader opened or ticked, and a form that is being filled in. */
  if (window.Idiomorph) {
    window.Idiomorph.defaults.callbacks.beforeNodeMorphed = (element) => !element.matches?.("[data-keep]");
    window.Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, element) =>
      !(name === "open" && element.matches("details, dialog")) && !(name === "checked" && element.matches("[data-select]"));
  }
})();
