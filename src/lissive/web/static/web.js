/* What a script adds: a case in the link, printing, copying, and the browser's own Back within the questions. */
"use strict";

const main = () => document.getElementById("main");

function openLinked() {
  const found = /^#case=(.+)$/.exec(location.hash);
  const form = document.getElementById("linked");
  if (!found || !form) return;
  let text = found[1]; // what is no case is said by the server
  try {
    const bytes = Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
    text = new TextDecoder().decode(bytes);
  } catch { /* as it is */ }
  form.elements.case.value = text;
  history.replaceState(null, "", location.pathname);
  form.submit();
}

/* The steps that were seen since this page was loaded, held in memory alone, with what was typed. */
const seen = [];
let at = 0;

function keep() {
  for (const each of main().querySelectorAll("input:not([type=file]), option")) {
    if (each.matches("option")) each.toggleAttribute("selected", each.selected);
    else if (each.matches("[type=radio], [type=checkbox]")) each.toggleAttribute("checked", each.checked);
    else each.setAttribute("value", each.value);
  }
  for (const each of main().querySelectorAll("textarea")) each.textContent = each.value;
  seen[at] = { html: main().outerHTML, title: document.title };
}

function stepTo(number) {
  keep();
  at = number;
  if (!seen[at]) { location.reload(); return; }
  main().outerHTML = seen[at].html;
  document.title = seen[at].title;
  htmx.process(main());
  arrived();
}

/* Where a reader's attention belongs after a step: at what is wrong, else at the top. */
function arrived() {
  const wrong = main().querySelector("[aria-invalid=true], .field.wrong input, .errors");
  (wrong || main()).focus({ preventScroll: !wrong });
  if (!wrong) scrollTo(0, 0);
  say(document.title, false);
}

function say(text, isShown) {
  const place = document.getElementById("spoken");
  place.textContent = text;
  place.classList.toggle("only-read", !isShown);
}

document.documentElement.classList.add("scripted");
document.addEventListener("submit", (event) => {
  if (event.target.dataset.hxTarget !== "#main") return;
  keep();
  at += 1;
  seen.length = at;
  history.pushState({ at }, "");
}, true);
addEventListener("popstate", (event) => {
  if (!location.hash) stepTo(event.state && event.state.at ? event.state.at : 0);
});
document.addEventListener("htmx:after:swap", (event) => {
  const target = event.detail.ctx && event.detail.ctx.target;
  if (target && target.id === "main") arrived();
});
document.addEventListener("htmx:error", () => say("The server cannot be reached. What was entered is still on this page: try again.", true));
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) print();
  const copy = event.target.closest("[data-copy]");
  if (copy) navigator.clipboard.writeText(document.getElementById(copy.dataset.copy).href)
    .then(() => { copy.textContent = "Copied"; });
});
addEventListener("hashchange", openLinked);
openLinked();
