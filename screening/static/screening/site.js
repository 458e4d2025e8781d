// Everything works without this file; it only adds what a page can't do by itself.

// A page that answers a form, as with errors: Back and reload ask for the page, not to send the form once more.
if (performance.getEntriesByType("navigation")[0]?.type === "navigate") history.replaceState(null, "", location.href);

// After each step a reader begins at what is wrong, or else at a message, or else at the heading.
const begin = ["[role=alert][data-focus]", "[data-focus]", "h1"].map((each) => document.querySelector(each)).find(Boolean);
if (begin && !location.hash) {
  begin.tabIndex = -1;
  begin.focus({ preventScroll: true });
}

// What is folded is printed too, in browsers that can't do so by themselves.
addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll("details")) fold.open = true;
});

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// Leave now: cover the page at once, and put the way out in its place in the history.
const way = document.querySelector("[data-leave]");

function leave() {
  document.documentElement.hidden = true;
  document.title = "…";
  location.replace(way.href);
}

way.addEventListener("click", (event) => {
  event.preventDefault();
  leave();
});

let presses = [];
document.addEventListener("keydown", (event) => {
  if (event.repeat) return;
  const writes = event.target.matches("textarea, input:not([type=radio], [type=checkbox])"); // there Shift makes capitals
  presses = writes ? [] : event.key === "Shift" ? [...presses, event.timeStamp].slice(-3) : [];
  if (presses.length === 3 && presses[2] - presses[0] < 2000) leave();
});

// A page that the browser kept for the Back button may show what was cleared since: ask the server again.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  document.documentElement.hidden = true;
  location.reload();
});
