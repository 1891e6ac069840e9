(function () {
  var table = document.getElementById("studies-table");
  if (!table) return;
  var body = table.tBodies[0], rows = Array.prototype.slice.call(body.rows);
  var form = document.getElementById("filters"), count = document.getElementById("count");
  form.hidden = false;
  function filter() {
    var words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean), shown = 0;
    rows.forEach(function (row) {
      var all = row.textContent.toLowerCase();
      var ok = words.every(function (word) { return all.indexOf(word) >= 0; }) &&
        ["cause", "outcome", "design"].every(function (name) {
          var chosen = form.elements[name].value;
          return !chosen || row.dataset[name] === chosen;
        });
      row.hidden = !ok;
      if (ok) shown += 1;
    });
    count.textContent = shown + " of " + rows.length + " rows are shown.";
  }
  form.addEventListener("input", filter);
  form.addEventListener("reset", function () { setTimeout(filter); });
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  Array.prototype.forEach.call(table.tHead.rows[0].cells, function (head, column) {
    var words = head.textContent, button = document.createElement("button");
    button.type = "button";
    button.textContent = words;
    head.textContent = "";
    head.appendChild(button);
    button.addEventListener("click", function () {
      var up = head.getAttribute("aria-sort") !== "ascending";
      Array.prototype.forEach.call(table.tHead.rows[0].cells, function (each) { each.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      function key(row) {
        var cell = row.cells[column];
        return cell.dataset.value === undefined ? cell.textContent.trim().toLowerCase() : cell.dataset.value;
      }
      var numeric = head.classList.contains("n");
      rows.sort(function (a, b) {
        var x = key(a), y = key(b);
        if (x === "" || y === "") return (x === "") - (y === "");
        var order = numeric ? x - y : x.localeCompare(y);
        return up ? order : -order;
      });
      rows.forEach(function (row) { body.appendChild(row); });
    });
  });
  filter();
})();
