"use strict";
(function () {
  // Rows of one package that are shown before somebody asks for all.
  var FEW = 10;
  var all = function (query, from) { return Array.prototype.slice.call((from || document).querySelectorAll(query)); };
  var search = document.getElementById("search"), shown = document.getElementById("shown");
  var grouping = document.getElementById("group"), order = document.getElementById("order");
  var hidden = new Set(), only = new Set(), column = "severity", descending = false, printing = false;
  var compare = new Intl.Collator("en", { numeric: true }).compare;
  var tables = all("table").map(function (table) {
    var groups = all("tbody", table).map(function (body) {
      var group = { body: body, head: body.querySelector(".group"), open: false, more: null };
      group.rows = all("tr.finding", body).map(function (row) {
        return { row: row, group: group, text: (group.head.textContent + " " + row.textContent).toLowerCase() };
      });
      return group;
    });
    var flat = table.createTBody();
    table.removeChild(flat);
    return { table: table, groups: groups, flat: flat, rows: [].concat.apply([], groups.map(function (group) { return group.rows; })) };
  });
  var total = tables.reduce(function (sum, one) { return sum + one.rows.length; }, 0);

  function key(one) {
    var cell = one.row.querySelector(".c-" + column);
    return cell ? (cell.dataset.key || cell.textContent.trim()) : "";
  }
  function sorted(rows) {
    return rows.map(function (one, at) { return { one: one, key: key(one), at: at }; }).sort(function (a, b) {
      // What has no value comes last, either way.
      if (!a.key !== !b.key) { return a.key ? -1 : 1; }
      return (descending ? -1 : 1) * compare(a.key, b.key) || a.at - b.at;
    }).map(function (entry) { return entry.one; });
  }
  function more(group, rest) {
    if (!group.more) {
      var row = document.createElement("tr"), cell = document.createElement("td"), button = document.createElement("button");
      row.className = "more"; cell.colSpan = group.head.cells[0].colSpan; button.type = "button";
      button.addEventListener("click", function () { group.open = true; draw(); });
      cell.appendChild(button); row.appendChild(cell); group.more = row;
    }
    group.more.querySelector("button").textContent = "Show " + rest + " more of this package";
    return group.more;
  }
  function draw() {
    var words = search.value.toLowerCase().split(/\s+/).filter(Boolean), count = 0, grouped = grouping.checked;
    var wanted = function (one) {
      var data = one.row.dataset;
      return !hidden.has(data.severity) && !(only.has("exploited") && !data.exploited) && !(only.has("fixable") && !data.fixable) &&
        words.every(function (word) { return one.text.indexOf(word) >= 0; });
    };
    tables.forEach(function (one) {
      var rows = sorted(one.rows.filter(wanted)), piece = document.createDocumentFragment(), groups = [];
      count += rows.length;
      one.rows.forEach(function (entry) { entry.row.hidden = true; });
      if (grouped) {
        rows.forEach(function (entry) {
          var group = entry.group;
          if (groups.indexOf(group) < 0) { groups.push(group); group.wanted = []; }
          group.wanted.push(entry);
        });
        groups.forEach(function (group) {
          var few = group.open || words.length || printing || group.wanted.length <= FEW + 1 ? group.wanted.length : FEW;
          group.body.textContent = "";
          group.body.appendChild(group.head);
          group.wanted.forEach(function (entry, at) { entry.row.hidden = at >= few; group.body.appendChild(entry.row); });
          if (few < group.wanted.length) { group.body.appendChild(more(group, group.wanted.length - few)); }
          piece.appendChild(group.body);
        });
      } else {
        one.flat.textContent = "";
        rows.forEach(function (entry) { entry.row.hidden = false; one.flat.appendChild(entry.row); });
        piece.appendChild(one.flat);
      }
      all("tbody", one.table).forEach(function (body) { one.table.removeChild(body); });
      one.table.classList.toggle("grouped", grouped);
      one.table.appendChild(piece);
      all("th[data-column]", one.table).forEach(function (head) {
        if (head.dataset.column === column) { head.setAttribute("aria-sort", descending ? "descending" : "ascending"); } else { head.removeAttribute("aria-sort"); }
      });
    });
    shown.textContent = (count === total ? "" : count + " of ") + total + (total === 1 ? " finding" : " findings");
  }
  function sort(name, down) { column = name; descending = down; order.value = name; draw(); }

  search.addEventListener("input", draw);
  grouping.addEventListener("change", draw);
  order.addEventListener("change", function () { sort(order.value, order.value === "risk"); });
  all(".cards button").forEach(function (button) {
    button.addEventListener("click", function () {
      var set = button.dataset.only ? only : hidden, name = button.dataset.only || button.dataset.severity;
      if (!set.delete(name)) { set.add(name); }
      button.setAttribute("aria-pressed", String((set === only) === set.has(name)));
      draw();
    });
  });
  all("th[data-column] button").forEach(function (button) {
    var name = button.closest("th").dataset.column;
    // The first click on a risk shows the greatest.
    button.addEventListener("click", function () { sort(name, name === column ? !descending : name === "risk"); });
  });
  window.addEventListener("beforeprint", function () { printing = true; draw(); });
  window.addEventListener("afterprint", function () { printing = false; draw(); });
  // A link may carry a search and an order: #q=musl&sort=fixed.
  var link = new URLSearchParams(location.hash.slice(1));
  if (link.get("q")) { search.value = link.get("q"); }
  all(".script").forEach(function (part) { part.hidden = false; });
  sort(/^(severity|id|risk|fixed|package|version)$/.test(link.get("sort")) ? link.get("sort") : "severity", link.get("order") === "descending");
})();
