/* What a script adds: a case in the link, printing, copying, and the browser's own Back within the questions. */
"use strict";

document.documentElement.classList.add("scripted");

function openLinked() {
  const found = /^#case=([\w-]+)$/.exec(location.hash);
  const form = document.getElementById("linked");
  if (!found || !form) return;
  const bytes = Uint8Array.from(atob(found[1].replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  form.elements.case.value = new TextDecoder().decode(bytes);
  history.replaceState(null, "", location.pathname);
  form.submit();
}

/* The forms that were sent, by their number in the history of this page; held in memory alone. */
const sent = [];
let at = 0;

function remember(event) {
  const form = event.target.closest("form");
  if (event.defaultPrevented || !form || form.dataset.hxTarget !== "#main") return;
  const data = new FormData(form, event.submitter);
  at += 1;
  sent.length = at;
  sent[at] = { action: form.getAttribute("action"), data };
  history.pushState({ at }, "");
}

async function stepTo(number) {
  at = number;
  const step = sent[number];
  if (!step) { location.reload(); return; }
  const answer = await fetch(step.action, { method: "POST", body: step.data });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = document.getElementById("main");
  main.replaceWith(page.getElementById("main"));
  htmx.process(document.getElementById("main"));
  document.title = page.title;
  arrived();
}

/* Where a reader's attention belongs after a step: at what is wrong, else at the top. */
function arrived() {
  const main = document.getElementById("main");
  const wrong = main.querySelector("[aria-invalid=true], .field.wrong input, .errors");
  (wrong || main).focus({ preventScroll: Boolean(!wrong) });
  if (!wrong) scrollTo(0, 0);
  document.getElementById("spoken").textContent = document.title;
}

document.addEventListener("submit", remember, true);
addEventListener("popstate", (event) => stepTo(event.state ? event.state.at : 0));
document.addEventListener("htmx:after:swap", (event) => {
  const target = event.detail.ctx && event.detail.ctx.target;
  if (target && target.id === "main") arrived();
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) print();
  const copy = event.target.closest("[data-copy]");
  if (copy) navigator.clipboard.writeText(document.getElementById(copy.dataset.copy).href)
    .then(() => { copy.textContent = "Copied"; });
});
addEventListener("hashchange", openLinked);
openLinked();
