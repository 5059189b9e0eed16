"use strict";

/* Pages that ask for a security key: django-allauth's own scripts talk to the browser, this names them the page's parts. */
document.addEventListener("DOMContentLoaded", () => {
  const place = document.querySelector("[data-security-key]");
  if (!place || !window.allauth || !window.allauth.webauthn) return;
  const kind = place.dataset.securityKey;
  const button = place.querySelector("[data-use-key]");
  const credential = place.querySelector("[name=credential]");
  const fault = place.querySelector("[data-key-fault]");
  const texts = {
    NotAllowedError: "No key was used, or it took too long. Try again.",
    InvalidStateError: "This key is among yours already.",
    SecurityError: "The browser offers security keys only at this installation's own name, by https.",
  };

  function tell(text) {
    fault.textContent = text;
    fault.hidden = !text;
  }

  if (!window.PublicKeyCredential) {
    button.disabled = true;
    tell("This browser, or this address, knows no security keys.");
    return;
  }
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    tell(texts[event.detail.exception.name] || "The key could not be used. Try again.");
  });
  button.addEventListener("click", () => tell(""));
  window.allauth.webauthn.forms[`${kind}Form`]({
    ids: { [kind]: button.id, credential: credential.id },
    data: JSON.parse(place.dataset.options),
  });
});
