"use strict";

/* A log that is followed shows its end, unless its reader scrolled up. */
(() => {
  const NEAR_PX = 40;
  let atEnd = true;

  const log = () => document.getElementById("log");
  const toEnd = () => {
    const element = log();
    if (element && atEnd) element.scrollTop = element.scrollHeight;
  };

  document.addEventListener("scroll", (event) => {
    const element = log();
    if (event.target === element) atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX;
  }, true);
  document.addEventListener("htmx:afterSwap", toEnd);
  toEnd();
})();
