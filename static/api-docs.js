"use strict";

/* Shows the OpenAPI document in Swagger UI, in the theme of the page. A pasted token stays in this page's memory. */
(() => {
  const root = document.documentElement;
  const follow = () => root.classList.toggle("dark-mode", root.dataset.bsTheme === "dark");
  new MutationObserver(follow).observe(root, { attributeFilter: ["data-bs-theme"] });
  follow();

  const place = document.getElementById("api-docs");
  window.SwaggerUIBundle({
    domNode: place,
    url: place.dataset.schema,
    presets: [window.SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    docExpansion: "list",
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    validatorUrl: null,
    // It brings a second main landmark, inside ours.
    onComplete: () => document.getElementById("operations")?.setAttribute("role", "presentation"),
  });
})();
