/* Shows the rows of a table that have all the words typed. Without this file the whole table is there to read. */
for (const form of document.querySelectorAll("form[data-search]")) {
  const table = document.getElementById(form.dataset.search);
  const rows = [...table.tBodies[0].rows].map((row) => [row, row.textContent.toLowerCase()]);
  const input = form.querySelector("input"), output = form.querySelector("output");
  const plain = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "");
  function show() {
    const words = plain(input.value.toLowerCase()).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const [row, text] of rows) {
      row.hidden = !words.every((word) => plain(text).includes(word));
      shown += !row.hidden;
    }
    output.textContent = `${shown} / ${rows.length}`;
  }
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  input.addEventListener("input", show);
  show();
}
