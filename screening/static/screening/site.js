// Everything works without this; it only adds what a page can't do by itself.

// A page that answers a form, as with errors: Back and reload ask for the page, not to send the form once more.
if (performance.getEntriesByType("navigation")[0]?.type === "navigate") history.replaceState(null, "", location.href);

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
