// The desk works without this file; it only adds what a page can't do by itself.

const desk = document.currentScript.dataset;
const idle = Number(desk.idle); // seconds after which a session ends
const WARN = 120; // seconds before that
const ASK = 30; // seconds between two questions for what is due
let alive = Date.now(); // when the server last heard of us
let told = null; // how many cases were due when the page was made
const title = document.title;

function pulse(method) {
  const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
  return fetch(desk.pulse, { method, headers: { "X-CSRFToken": token } });
}

function say(text, action, does) {
  let bar = document.getElementById("live");
  if (!bar) {
    bar = document.createElement("p");
    bar.id = "live";
    bar.setAttribute("role", "status");
    document.body.prepend(bar);
  }
  bar.textContent = text;
  if (action) {
    const button = document.createElement("button");
    button.type = button.className = "button";
    button.textContent = action;
    button.addEventListener("click", does);
    bar.append(" ", button);
  }
}

// What is due, without a reload; only while someone may be looking.
async function ask() {
  if (document.hidden) return;
  const answer = await pulse("GET").catch(() => null);
  if (answer?.status === 403) return say(desk.signedOut);
  if (!answer?.ok) return;
  const { due, words } = await answer.json();
  document.title = due ? `(${due}) ${title}` : title;
  if (told !== null && due > told && desk.list) say(words, desk.reload, () => location.reload());
  told ??= due;
}
if (desk.counts) {
  ask();
  setInterval(ask, ASK * 1000);
}

// A session ends when nothing is asked of the server: typing and pressing keep it, and before the end it says so.
for (const event of ["input", "pointerdown", "keydown"]) {
  document.addEventListener(event, () => {
    if (Date.now() - alive < 60_000) return;
    alive = Date.now();
    pulse("POST").catch(() => null);
    document.getElementById("live")?.remove();
  });
}
setInterval(() => {
  if (Date.now() - alive > (idle - WARN) * 1000) say(desk.ending, desk.stay, () => {});
}, 5000);

// Text that is not saved is not left behind without a word.
const form = document.getElementById("submission_form");
let unsaved = [...(form?.querySelectorAll("textarea") ?? [])].some((area) => area.value); // given back, or refused
form?.addEventListener("input", () => (unsaved = true));
form?.addEventListener("submit", () => (unsaved = false));
addEventListener("beforeunload", (event) => unsaved && event.preventDefault());

for (const area of document.querySelectorAll("textarea[maxlength]")) {
  const left = document.createElement("p");
  left.className = "help";
  left.setAttribute("role", "status");
  area.after(left);
  area.addEventListener("input", () => {
    const room = area.maxLength - area.value.length;
    left.textContent = room < 500 ? desk.left.replace("%s", room) : "";
  });
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = button.dataset.done;
  });
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  document.getElementById("find")?.focus();
});

// After a refused save a reader begins at what is wrong.
document.querySelector('[role="alert"][tabindex]')?.focus();
