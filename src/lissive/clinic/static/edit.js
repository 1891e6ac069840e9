/* The form of a case: its questions follow the answers; what is typed last is kept when the page is left. */
"use strict";

const caseForm = () => document.getElementById("case-form");
let unsent = false;

/* What was typed while the new questions were on their way is put into them. */
function typedNow() {
  const found = new Map();
  for (const each of caseForm().elements) {
    if (!each.name || each.type === "hidden" || each.type === "submit" || each.type === "button") continue;
    if (each.type === "radio" || each.type === "checkbox") found.set(`${each.name} ${each.value}`, each.checked);
    else found.set(each.id, each.value);
  }
  return found;
}
let sent = null, again = false, since = [], focused = null, opened = [];
/* What is folded out, by its summary: new questions leave it so. */
const folds = () => [...document.querySelectorAll("#questions details")];
const summaryOf = (fold) => (fold.querySelector("summary .what") || fold.querySelector("summary"))?.textContent.trim();

document.addEventListener("input", (event) => {
  if (caseForm() && caseForm().contains(event.target)) unsent = true;
});
/* "None" and "I do not know" leave no other box ticked, and the others not them. */
const isApart = (box) => ["none", "?"].includes(box.value);
document.addEventListener("input", (event) => {
  const field = event.target;
  if (!field.closest("#case-form") || field.type === "radio" || (field.type === "checkbox" ? !field.checked : !field.value)) return;
  for (const box of caseForm().querySelectorAll(`input[type=checkbox][name="${CSS.escape(field.name)}"]`)) {
    const gives = field.type !== "checkbox" || !isApart(field) ? isApart(box) : true;
    if (box !== field && gives) box.checked = false;
  }
});
/* One at a time: what is answered while the questions that follow are on their way asks for them once more. */
function follow() {
  if (sent) { again = true; return; }
  sent = typedNow();
  htmx.trigger(document.getElementById("follow"), "follow");
}
document.addEventListener("change", (event) => {
  if (event.target.closest("#case-form .leads")) follow();
});
const isFollow = (event) => event.detail.ctx?.sourceElement?.id === "follow";
document.addEventListener("htmx:before:swap", (event) => {
  if (!isFollow(event) || !sent) return;
  const at = document.activeElement;
  since = [...typedNow()].filter(([key, value]) => sent.get(key) !== value);
  opened = folds().filter((each) => each.open).map(summaryOf);
  focused = at && caseForm().contains(at) ? [at.name, at.value, at.id] : null;
});
document.addEventListener("htmx:after:swap", (event) => {
  if (!isFollow(event)) return;
  for (const each of folds()) if (opened.includes(summaryOf(each))) each.open = true;
  for (const each of caseForm().elements) {
    const isBox = each.type === "radio" || each.type === "checkbox";
    const changed = since.find(([key]) => key === (isBox ? `${each.name} ${each.value}` : each.id));
    if (changed && each.name && each.type !== "hidden") each[isBox ? "checked" : "value"] = changed[1];
    if (focused && (focused[2] ? each.id === focused[2] : each.name === focused[0] && each.value === focused[1])) {
      const fold = each.closest("details");
      if (fold) fold.open = true;
      each.focus({ preventScroll: true });
    }
  }
  since = [];
});
document.addEventListener("htmx:finally:request", (event) => {
  if (!isFollow(event)) return;
  sent = null;
  if (again) setTimeout(() => { again = false; follow(); });
});
document.addEventListener("htmx:after:request", (event) => {
  const source = event.detail.ctx && event.detail.ctx.sourceElement;
  if (source && source.id === "case-form") unsent = false;
});
document.addEventListener("submit", () => { unsent = false; });
addEventListener("pagehide", () => {
  if (unsent && caseForm()) navigator.sendBeacon(caseForm().dataset.draft, new FormData(caseForm()));
});
document.addEventListener("htmx:error", () => {
  const place = document.getElementById("draft-state");
  if (place) place.textContent = "Not kept as a draft: the server cannot be reached. What you entered is still on this page.";
});
