// Tells axe-core which looks of texts passed its contrast check before, and returns a list that gets those that pass now.
//
// The contrast of a text depends on its colour and size and on what is behind it. Most texts look like others on the
// same page and the next, and judging each is most of axe's work. So a look that passed is not judged again. Judged
// always is what is not certain: text that may lie on something else than its parents (moved out of the flow, in a
// picture), and every look that did not pass.
(passed) => {
  const known = new Set(passed);
  const newly = [];
  const backgrounds = new Map();

  function background(element) {
    if (!element) return { key: "", faded: false, certain: true };
    if (!backgrounds.has(element)) backgrounds.set(element, over(background(element.parentElement), element));
    return backgrounds.get(element);
  }

  // What lies behind the content of an element, how faded it is, and whether that is certain.
  function over(behind, element) {
    const style = getComputedStyle(element);
    const odd =
      element instanceof SVGElement ||
      style.backgroundImage !== "none" ||
      style.mixBlendMode !== "normal" ||
      style.filter !== "none";
    const moved = style.position !== "static" || style.transform !== "none" || style.float !== "none";
    const faded = behind.faded || style.opacity !== "1";
    const colour = style.backgroundColor;
    if (colour.startsWith("rgb(")) return { key: colour, faded, certain: !odd && !faded };
    const key = colour === "rgba(0, 0, 0, 0)" ? behind.key : `${colour} on ${behind.key}`;
    return { key, faded, certain: behind.certain && !odd && !moved && !faded };
  }

  function look(element) {
    const { key, certain } = background(element);
    if (!certain) return null;
    const style = getComputedStyle(element);
    // Of a single character axe is never sure, so it says nothing of longer texts.
    const short = element.textContent.trim().length < 2;
    const text = [style.color, style.fontSize, style.fontWeight, style.textShadow, style.webkitTextStrokeWidth];
    return [element.localName, short, ...text, key].join("|");
  }

  const check = axe._audit.checks["color-contrast"];
  const judge = (check.judge ??= check.evaluate);
  check.evaluate = function (element, ...more) {
    const name = look(element);
    if (name !== null && known.has(name)) return true;
    const good = judge.call(this, element, ...more);
    if (good === true && name !== null) {
      known.add(name);
      newly.push(name);
    }
    return good;
  };
  return newly;
}
