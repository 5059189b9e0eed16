"use strict";

/* A log of any length: the page holds a window of a few hundred lines, the gaps above and below stand for the rest. Lines
   come from the server as they are needed, and only what is new with each refresh. */
(() => {
  const WINDOW = 600; // lines in the page at once
  const STEP = 200; // how far the window moves
  const NEAR_LINES = 100; // from its edge, at which it moves
  const NEAR_PX = 24;
  const MOST_KEPT = 20_000; // lines that are remembered
  const TALLEST_PX = 8_000_000; // of a gap: browsers end at about twice that
  const PAUSED = 4; // a reader who paused only hears how much is new, and less often
  const AFTER_END_MS = 60_000; // the last words come late
  const TYPING_MS = 250;
  const MOST_MARKED = 2000;

  /* The characters from one place to another of an element's text, which may stand in several pieces. */
  function rangeOf(element, from, to) {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    for (let start = 0; walker.nextNode();) {
      const { length } = walker.currentNode;
      if (from >= start && from < start + length) range.setStart(walker.currentNode, from - start);
      if (to <= start + length) {
        range.setEnd(walker.currentNode, to - start);
        break;
      }
      start += length;
    }
    return range;
  }

  class LogView {
    constructor(element) {
      const data = element.dataset;
      this.element = element;
      this.address = data.address;
      this.box = element.querySelector("#log");
      this.rows = this.part("lines");
      this.kept = new Map();
      this.hits = [];
      this.hitSet = new Set();
      this.query = "";
      this.turn = 0;
      this.asking = 0;
      this.target = Number(data.target) || 0;
      this.epoch = data.epoch;
      this.version = data.version;
      this.first = Number(data.first) || 1;
      this.end = Number(data.end) || 1;
      this.begin = this.stop = Number(data.begin) || this.end;
      this.live = data.live === "yes";
      this.follows = data.follows === "yes";
      this.pollMs = Number(data.poll) || 3000;
      this.askedAt = performance.now();
      this.pollUntil = this.live ? Infinity : 0;
      this.seenEnd = this.end;
    }

    part(name) { return this.element.querySelector(`[data-log="${name}"]`); }

    start() {
      for (const row of this.rows.children) this.kept.set(this.stop++, row.lastElementChild.innerHTML);
      this.element.querySelectorAll('[data-log="pager"]').forEach((pager) => { pager.hidden = true; });
      this.box.addEventListener("scroll", () => this.soon(), { passive: true });
      this.element.addEventListener("click", (event) => this.clicked(event));
      this.part("search").addEventListener("submit", (event) => { event.preventDefault(); this.step(1); });
      const input = this.input();
      input.addEventListener("input", () => { clearTimeout(this.typing); this.typing = setTimeout(() => this.search(), TYPING_MS); });
      input.addEventListener("keydown", (event) => this.typed(event));
      const asked = Number(/^#L(\d+)$/.exec(location.hash)?.[1]) || this.target;
      this.draw(this.begin, this.stop);
      if (this.element.dataset.empty !== undefined) this.refresh(true);
      else if (asked) this.go(asked);
      else if (this.follows || this.stop === this.end) this.toEnd();
      if (input.value) this.search(false);
      this.say();
    }

    input() { return this.part("search").elements.q; }

    /* Lines from the server ------------------------------------------------------------------------------ */

    async ask(wish) {
      const query = new URLSearchParams(this.address.slice(1));
      query.set("data", "");
      for (const [name, value] of Object.entries(wish)) query.set(name, value);
      this.asking++;
      try {
        const response = await fetch(`${location.pathname}?${query}`, { headers: { Accept: "application/json" }, redirect: "manual" });
        if (response.status === 204) return null;
        if (!response.ok) throw new Error(`status ${response.status}`);
        return await response.json();
      } finally {
        this.asking--;
      }
    }

    keep(from, lines) {
      lines.forEach((html, index) => {
        this.kept.delete(from + index);
        this.kept.set(from + index, html);
      });
      for (const number of this.kept.keys()) {
        if (this.kept.size <= MOST_KEPT) break;
        if (number < this.begin || number >= this.stop) this.kept.delete(number);
      }
    }

    /* Has the lines from begin to stop at hand; false when the reader has asked for others meanwhile. */
    async need(begin, stop, turn = ++this.turn) {
      while (begin < stop && this.kept.has(begin)) begin++;
      while (stop > begin && this.kept.has(stop - 1)) stop--;
      if (begin < stop) {
        const data = await this.ask({ from: begin, limit: stop - begin });
        if (data && data.epoch !== this.epoch) {
          this.anew(data);
          return false;
        }
        if (data) this.keep(data.from, data.lines);
      }
      return turn === this.turn;
    }

    async refresh(first = false) {
      this.askedAt = performance.now();
      const wantsLines = first || this.follows || this.stop === this.end;
      const wish = { v: this.version, from: Math.max(this.first, this.end - 1), limit: wantsLines ? WINDOW : 0 };
      if (first) { delete wish.v; delete wish.from; }
      if (this.query) { wish.q = this.query; wish.search_from = this.end - 1; }
      const data = await this.ask(wish).catch(() => null);
      if (!data) return;
      if (data.epoch !== this.epoch || first) this.anew(data);
      else this.grow(data);
      this.told(data);
    }

    /* Another text: what is in the page does not belong to it. */
    anew(data) {
      const begin = Math.max(data.first, data.end - WINDOW);
      Object.assign(this, { epoch: data.epoch, first: data.first, end: data.end, version: data.version, seenEnd: data.end });
      this.turn++;
      this.kept.clear();
      this.rows.replaceChildren();
      this.begin = this.stop = begin;
      this.keep(data.from, data.lines);
      this.need(begin, data.end).then((mine) => {
        if (!mine) return;
        this.draw(begin, data.end);
        this.toEnd();
      }).catch(() => {});
      if (this.query) this.search(false);
    }

    grow(data) {
      const wasAtEnd = this.stop === this.end;
      const last = this.end - 1;
      Object.assign(this, { first: data.first, end: data.end, version: data.version });
      this.keep(data.from, data.lines);
      if (data.hits) this.addHits(data.hits);
      this.renew(last);
      if (this.follows) {
        const begin = Math.max(this.first, this.end - WINDOW, Math.min(this.begin, this.end - STEP));
        this.need(begin, this.end).then((mine) => {
          if (!mine || !this.follows) return;
          this.draw(begin, this.end);
          this.toEnd();
        }).catch(() => {});
      } else {
        this.draw(this.begin, wasAtEnd ? Math.min(this.end, this.begin + WINDOW, this.haveUntil()) : this.stop);
      }
    }

    haveUntil() {
      let stop = this.stop;
      while (stop < this.end && this.kept.has(stop)) stop++;
      return stop;
    }

    /* The last line may have been written over. */
    renew(number) {
      const row = document.getElementById(`L${number}`);
      const html = this.kept.get(number);
      if (row && html !== undefined && row.lastElementChild.innerHTML !== html) row.lastElementChild.innerHTML = html;
    }

    told(data) {
      if (this.live && !data.live) this.pollUntil = performance.now() + AFTER_END_MS;
      if (data.live) this.pollUntil = Infinity;
      this.live = data.live;
      this.part("follow").hidden = !data.live;
      this.part("cut").hidden = !data.is_cut && data.first === 1;
      const holds = data.end > data.first;
      this.part("trouble").hidden = !data.trouble;
      this.part("said").textContent = data.trouble;
      this.part("late").hidden = !holds;
      this.part("never").hidden = holds;
      if (data.seen_at) this.part("seen").setAttribute("datetime", data.seen_at);
      this.part("empty").hidden = holds || Boolean(data.trouble);
      this.box.hidden = !holds;
      this.say();
    }

    /* The window ------------------------------------------------------------------------------------------ */

    row(number) {
      const row = document.createElement("div");
      const link = document.createElement("a");
      const text = document.createElement("span");
      row.className = "log-line";
      row.id = `L${number}`;
      row.classList.toggle("is-hit", this.hitSet.has(number));
      row.classList.toggle("is-target", number === this.target);
      link.className = "log-no";
      link.href = `${this.address}${this.address.length > 1 ? "&" : ""}line=${number}#L${number}`;
      link.tabIndex = -1;
      link.textContent = number;
      text.className = "log-text";
      text.innerHTML = this.kept.get(number) ?? ""; // made of escaped text by the server
      row.append(link, text);
      return row;
    }

    /* Makes the window reach from begin to stop, whose lines are at hand; what the reader looks at stays where it is. */
    draw(begin, stop) {
      const anchor = this.rowAt(this.box.scrollTop);
      const before = anchor ? anchor.offsetTop - this.box.scrollTop : 0;
      if (begin >= this.stop || stop <= this.begin) {
        this.rows.replaceChildren();
        this.begin = this.stop = begin;
      }
      while (this.begin < begin) { this.rows.firstElementChild?.remove(); this.begin++; }
      while (this.stop > stop) { this.rows.lastElementChild?.remove(); this.stop--; }
      const above = document.createDocumentFragment();
      for (let number = begin; number < this.begin; number++) above.append(this.row(number));
      this.rows.prepend(above);
      this.begin = begin;
      const below = document.createDocumentFragment();
      for (; this.stop < stop; this.stop++) below.append(this.row(this.stop));
      this.rows.append(below);
      this.gaps();
      if (anchor?.isConnected) this.scroll(anchor.offsetTop - before);
      this.paint();
    }

    gaps() {
      const count = this.stop - this.begin;
      if (count) this.lineHeight = this.rows.offsetHeight / count || 20;
      const px = (lines) => `${Math.min(TALLEST_PX, Math.round(lines * (this.lineHeight || 20)))}px`;
      this.part("above").style.height = px(this.begin - this.first);
      this.part("below").style.height = px(this.end - this.stop);
    }

    /* The row at this height, or the first below it. */
    rowAt(y) {
      const all = this.rows.children;
      let low = 0;
      let high = all.length - 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (all[middle].offsetTop + all[middle].offsetHeight <= y) low = middle + 1;
        else high = middle;
      }
      return all[low];
    }

    scroll(top) {
      this.ownScroll = true;
      this.box.scrollTop = top;
    }

    soon() {
      if (this.waiting) return;
      this.waiting = true;
      requestAnimationFrame(() => {
        this.waiting = false;
        this.scrolled();
      });
    }

    scrolled() {
      const { scrollTop: top, clientHeight: height } = this.box;
      const isOwn = this.ownScroll;
      this.ownScroll = false;
      if (!isOwn) this.setFollow(this.live && this.isAtEnd());
      const upper = this.rows.offsetTop;
      const lower = upper + this.rows.offsetHeight;
      const near = NEAR_LINES * (this.lineHeight || 20);
      if (top + height < upper || top > lower) this.land(top, upper, lower);
      else if (top < upper + near && this.begin > this.first) this.move(this.begin - STEP);
      else if (top + height > lower - near && this.stop < this.end) this.move(this.begin + STEP);
      this.say();
    }

    /* The reader dragged to a place that is not in the page. */
    land(top, upper, lower) {
      const inAbove = top < upper;
      const share = inAbove ? top / upper : (top - lower) / (this.box.scrollHeight - lower);
      const number = inAbove ? this.first + share * (this.begin - this.first) : this.stop + share * (this.end - this.stop);
      this.bring(Math.floor(number), 0);
    }

    move(begin) {
      if (this.moving) return;
      this.moving = true;
      const from = Math.max(this.first, Math.min(begin, this.end - WINDOW));
      const to = Math.min(this.end, from + WINDOW);
      this.need(from, to, this.turn).then((mine) => {
        if (!mine) return;
        this.draw(from, to);
        this.soon();
      }).catch(() => {}).finally(() => { this.moving = false; });
    }

    /* Shows a line, so far below the upper edge as this share of the height. */
    async bring(number, share) {
      number = Math.max(this.first, Math.min(number, this.end - 1));
      const begin = Math.max(this.first, Math.min(number - WINDOW / 2, this.end - WINDOW));
      const stop = Math.min(this.end, begin + WINDOW);
      const isIn = number >= this.begin + NEAR_LINES / 4 && number < this.stop - NEAR_LINES / 4;
      if (!isIn) {
        const mine = await this.need(begin, stop).catch(() => false);
        if (!mine) return;
        this.draw(begin, stop);
      }
      const row = document.getElementById(`L${number}`);
      if (row) this.scroll(row.offsetTop - this.box.clientHeight * share);
      this.say();
      return row;
    }

    isAtEnd() {
      return this.stop === this.end && this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < NEAR_PX;
    }

    toEnd() {
      this.scroll(this.box.scrollHeight);
      this.seenEnd = this.end;
      this.say();
    }

    async end_() {
      this.setFollow(this.live);
      await this.bring(this.end - 1, 1);
      this.toEnd();
    }

    /* Shows a line and marks it. */
    async go(number) {
      this.setFollow(false);
      document.querySelectorAll(".log-line.is-target").forEach((row) => row.classList.remove("is-target"));
      this.target = number;
      document.getElementById(`L${number}`)?.classList.add("is-target");
      const row = await this.bring(number, 1 / 3);
      row?.scrollIntoView({ block: "nearest", inline: "nearest" }); // on a phone the log itself may be out of sight
    }

    /* What is said --------------------------------------------------------------------------------------- */

    say() {
      const count = this.end - this.first;
      const { scrollTop: top, clientHeight: height } = this.box;
      const [from, to] = [this.rowAt(top), this.rowAt(top + height - 2)].map((row) => row?.id.slice(1));
      const digits = (number) => Number(number).toLocaleString("en-US");
      const where = this.part("where");
      const text = count && from ? `Lines ${digits(from)} to ${digits(to)} of ${digits(this.end - 1)}` : "";
      if (where.textContent !== text) where.textContent = text;
      if (this.isAtEnd()) this.seenEnd = this.end;
      const fresh = this.follows ? 0 : Math.max(0, this.end - this.seenEnd);
      const news = this.part("news");
      news.hidden = !fresh;
      news.textContent = fresh ? `+${digits(fresh)}` : "";
      this.element.querySelector('[data-do="end"]').hidden = !count || this.isAtEnd();
    }

    setFollow(on) {
      this.follows = on;
      this.choose("follow", on);
      this.choose("pause", !on);
    }

    choose(name, on) {
      const link = this.element.querySelector(`[data-do="${name}"]`);
      if (on) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }

    wrap(on) {
      const row = this.rowAt(this.box.scrollTop);
      const atEnd = this.isAtEnd();
      this.box.classList.toggle("log-wrap", on);
      this.choose("wrap", on);
      this.choose("scroll", !on);
      this.gaps();
      if (atEnd) this.toEnd();
      else if (row) this.scroll(row.offsetTop);
      const query = new URLSearchParams(location.search);
      if (on) query.set("wrap", "yes");
      else query.delete("wrap");
      history.replaceState(history.state, "", `${location.pathname}${query.size ? `?${query}` : ""}${location.hash}`);
    }

    /* Search ---------------------------------------------------------------------------------------------- */

    async search(jumps = true) {
      const query = this.input().value.slice(0, 200);
      this.query = query;
      const data = query ? await this.ask({ q: query, limit: 0 }).catch(() => null) : { hits: [], count: 0 };
      if (!data || this.query !== query) return;
      this.hits = [];
      this.hitSet = new Set();
      this.addHits(data.hits ?? []);
      for (const row of this.rows.children) row.classList.toggle("is-hit", this.hitSet.has(Number(row.id.slice(1))));
      this.paint();
      if (!jumps || !this.hits.length) return;
      const seen = Number(this.rowAt(this.box.scrollTop)?.id.slice(1)) || this.first;
      const next = this.hits.findIndex((number) => number >= seen);
      this.at = next < 0 ? this.hits.length - 1 : next;
      this.showHit();
    }

    addHits(numbers) {
      for (const number of numbers) {
        if (!this.hitSet.has(number)) this.hits.push(number);
        this.hitSet.add(number);
      }
      this.at = Math.max(0, this.hits.indexOf(this.target));
      this.count();
    }

    count() {
      const words = this.hits.length ? `${this.at + 1} of ${this.hits.length.toLocaleString("en-US")}` : "No match";
      this.part("found").textContent = this.query ? words : "";
      this.part("steps").hidden = !this.hits.length;
    }

    step(by) {
      if (this.input().value !== this.query) {
        clearTimeout(this.typing);
        this.search();
      } else if (this.hits.length) {
        this.at = (this.at + by + this.hits.length) % this.hits.length;
        this.showHit();
      }
    }

    showHit() {
      this.count();
      this.go(this.hits[this.at]);
    }

    /* Marks the words themselves, where the browser can without touching the text. */
    paint() {
      if (!window.Highlight) return;
      const wanted = this.query.toLowerCase();
      const ranges = [];
      for (const row of wanted ? this.rows.querySelectorAll(".is-hit > .log-text") : []) {
        const text = row.textContent.toLowerCase();
        for (let place = text.indexOf(wanted); place >= 0 && ranges.length < MOST_MARKED; place = text.indexOf(wanted, place + wanted.length)) {
          ranges.push(rangeOf(row, place, place + wanted.length));
        }
      }
      CSS.highlights.set("log-hit", new Highlight(...ranges));
    }

    /* The reader ------------------------------------------------------------------------------------------ */

    clicked(event) {
      if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      const number = event.target.closest(".log-no");
      const act = event.target.closest("[data-do]")?.dataset.do;
      if (!number && !act) return;
      event.preventDefault();
      if (number) {
        history.replaceState(history.state, "", number.href);
        this.setFollow(false);
        this.go(Number(number.textContent));
      } else this.act(act);
    }

    act(name) {
      const acts = {
        follow: () => this.end_(),
        end: () => this.end_(),
        pause: () => this.setFollow(false),
        wrap: () => this.wrap(true),
        scroll: () => this.wrap(false),
        next: () => this.step(1),
        previous: () => this.step(-1),
      };
      acts[name]();
    }

    typed(event) {
      if (event.key === "Enter") {
        event.preventDefault();
        this.step(event.shiftKey ? -1 : 1);
      } else if (event.key === "Escape" && this.input().value) {
        event.preventDefault();
        this.input().value = "";
        this.search(false);
        this.box.focus();
      }
    }

    pressed(key) {
      if (key === "n" && this.hits.length) this.step(1);
      else if (key === "N" && this.hits.length) this.step(-1);
      else if (key === "G") this.end_();
      else if (key === "w") this.wrap(!this.box.classList.contains("log-wrap"));
      else return false;
      return true;
    }

    tick() {
      const now = performance.now();
      const every = this.follows || !this.live ? this.pollMs : this.pollMs * PAUSED;
      if (now < this.pollUntil && now - this.askedAt >= every) this.refresh();
    }
  }

  let view = null;

  /* The frame around it may bring the log later, or take it away. */
  function find() {
    const element = document.getElementById("log-view");
    if (!element || view?.element === element) return;
    view = new LogView(element);
    view.start();
    window.dwLog = view;
  }

  document.addEventListener("htmx:afterSettle", find);
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    const off = document.querySelector("[data-shortcuts]")?.checked === false;
    if (!view || typing || off || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (!view.pressed(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
  addEventListener("hashchange", () => {
    const number = Number(/^#L(\d+)$/.exec(location.hash)?.[1]);
    if (view && number) view.go(number);
  });
  addEventListener("resize", () => { if (view?.follows) view.toEnd(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) view?.refresh(); });
  setInterval(() => { if (view && !document.hidden) view.tick(); }, 500);
  find();
})();
