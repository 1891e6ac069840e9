/* What a script adds to the clinic's pages. One section a subject. */
"use strict";

document.documentElement.classList.add("scripted");
document.querySelector("main .errors")?.focus();

/* -- what was typed outlives the end of a log-in: held by this tab, for the same user and page, without passwords -- */
const TYPED = "typed";
const me = document.querySelector("[data-user]")?.dataset.user; // undefined where nobody is logged in
const isKept = (field) => field.name && !["password", "hidden", "file", "submit", "button"].includes(field.type);

function formsOfPage() {
  return [...document.querySelectorAll("main form:not([data-unkept], [data-log-out])")];
}

function keepTyped() {
  const forms = formsOfPage().map((form) => [...form.elements].filter(isKept).map((each) => ({
    name: each.name, value: each.value, chosen: ["checkbox", "radio"].includes(each.type) ? each.checked : null,
  })));
  sessionStorage.setItem(TYPED, JSON.stringify({ user: me, path: location.pathname, forms, wanted: false }));
}

function putBack(kept) {
  formsOfPage().forEach((form, number) => {
    const left = [...form.elements].filter(isKept);
    for (const was of kept.forms[number] || []) {
      const at = left.findIndex((each) => each.name === was.name && (was.chosen === null || each.value === was.value));
      if (at < 0) continue;
      const [field] = left.splice(at, 1);
      if (was.chosen === null) field.value = was.value;
      else field.checked = was.chosen;
    }
  });
  const said = document.createElement("div");
  said.className = "callout unsure";
  said.setAttribute("role", "status");
  said.innerHTML = "<p class=callout-head>Not saved yet</p><p>What you typed before could not be saved. It is back in the form: look it through and send it again.</p>";
  document.getElementById("main").prepend(said);
}

function afterLogIn() {
  const kept = JSON.parse(sessionStorage.getItem(TYPED) || "null");
  if (!kept) return;
  if (me !== undefined && kept.user !== me) { // somebody else
    sessionStorage.removeItem(TYPED);
  } else if (me === undefined || document.querySelector("[data-not-taken]")) { // a log-in, or a page that says it was not saved
    sessionStorage.setItem(TYPED, JSON.stringify({ ...kept, wanted: true }));
  } else if (!kept.wanted) { // the server has it
    sessionStorage.removeItem(TYPED);
  } else if (kept.path === location.pathname) {
    sessionStorage.removeItem(TYPED);
    putBack(kept);
  }
}

document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-log-out]")) sessionStorage.removeItem(TYPED);
  else if (me !== undefined && event.target.method === "post" && !event.target.matches("[data-unkept]")) keepTyped();
}, true);

/* A part of a page whose log-in has ended says where to log in. */
document.addEventListener("htmx:before:response", (event) => {
  const { response } = event.detail.ctx;
  const to = response.status === 401 && response.headers.get("Lissive-Log-In");
  if (!to) return;
  event.preventDefault();
  keepTyped();
  location.assign(`${to}?next=${encodeURIComponent(location.pathname)}`);
});

afterLogIn();
const go = document.querySelector("[data-go]");
if (go && sessionStorage.getItem(TYPED)) location.replace(go.href);
