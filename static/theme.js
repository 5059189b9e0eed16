"use strict";

/* Loaded in <head> without defer, so that the first paint already has the reader's theme. */
(() => {
  const KEY = "dw-theme";
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function stored() {
    try {
      return localStorage.getItem(KEY) || "auto";
    } catch {
      return "auto";
    }
  }

  function apply() {
    const choice = stored();
    const theme = choice === "auto" ? (dark.matches ? "dark" : "light") : choice;
    document.documentElement.dataset.bsTheme = theme;
    document.documentElement.dataset.themeChoice = choice;
  }

  window.dwTheme = {
    choice: stored,
    choose(choice) {
      try {
        localStorage.setItem(KEY, choice);
      } catch {
        /* Private windows may refuse storage: the theme then follows the system. */
      }
      apply();
    },
  };
  dark.addEventListener("change", apply);
  window.addEventListener("storage", apply);
  apply();
})();
