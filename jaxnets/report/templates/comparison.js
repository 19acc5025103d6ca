"use strict";
(() => {
  const content = JSON.parse(document.getElementById("content").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const task = document.getElementById("task");
  const views = new Map();

  // ---- figures: the drawing is Vega's, this chooses what is drawn -------------------------------------------------
  const rowsOf = table => table.rows.map(row => Object.fromEntries(table.columns.map((name, place) => [name, row[place]])));
  const data = Object.fromEntries(Object.entries(content.data).map(([name, table]) => [name, rowsOf(table)]));
  const ofTask = rows => (task ? rows.filter(row => row.task === undefined || row.task === task.value) : rows);

  const theme = width => {
    const base = content.themes[dark.matches ? "dark" : "light"];
    return { ...base, legend: { ...base.legend, columns: Math.max(2, Math.floor(width / 105)) } };
  };

  const choiceOf = name => {
    const inputs = [...document.querySelectorAll("[data-switch]")].filter(one => one.dataset.switch === name);
    const chosen = inputs.find(one => one.tagName === "SELECT" || one.checked);
    return chosen ? Number(chosen.value) : 0;
  };

  const draw = async chart => {
    const place = document.getElementById(`chart-${chart.name}`);
    const specification = chart.variants[choiceOf(chart.name)];
    const datasets = Object.fromEntries(Object.entries(data).map(([name, rows]) => [name, ofTask(rows)]));
    const options = { actions: false, renderer: "svg", ast: true, logLevel: 1, config: theme(place.clientWidth), tooltip: { disableDefaultStyle: true } };
    views.get(chart.name)?.finalize();
    views.set(chart.name, await vegaEmbed(place, { ...specification, datasets }, options));
  };
  const drawAll = () => Promise.all(content.charts.map(draw));

  for (const one of document.querySelectorAll("[data-switch]")) {
    one.addEventListener("change", () => draw(content.charts.find(chart => chart.name === one.dataset.switch)));
  }
  dark.addEventListener("change", drawAll);
  task?.addEventListener("change", drawAll);
  let width = innerWidth, waiting;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { if (width !== innerWidth) { width = innerWidth; drawAll(); } }, 200);
  });

  // ---- the table of all runs, a hundred rows at a time ------------------------------------------------------------
  const SIZE = 100;
  const table = document.getElementById("runs-table");
  const state = { column: 0, direction: 1, page: 0, words: [] };
  const shown = (row, [name, , kind]) => {
    const value = row[name];
    if (value === null || value === undefined) return "–";
    if (name === "status" && value === "diverged" && row.diverged_step != null) return `diverged at step ${row.diverged_step}`;
    if (kind.endsWith("share")) return `${(100 * value).toFixed(1)}%`;
    return typeof value === "number" && !Number.isInteger(value) ? String(Number(value.toPrecision(4))) : String(value);
  };
  const columns = content.table.filter(([name]) => name !== "diverged_step");
  const rows = data.runs.map(row => ({ row, cells: columns.map(column => shown(row, column)) }));
  for (const one of rows) one.text = one.cells.join(" ").toLowerCase();

  const compare = (a, b) => {
    const name = columns[state.column][0], [x, y] = [a.row[name], b.row[name]];
    if (x == null || y == null) return (x == null) - (y == null); // what is missing comes last either way
    return state.direction * (typeof x === "number" ? x - y : String(x).localeCompare(String(y)));
  };

  const fill = () => {
    const found = rows.filter(one => state.words.every(word => one.text.includes(word))).sort(compare);
    const pages = Math.max(1, Math.ceil(found.length / SIZE));
    state.page = Math.min(state.page, pages - 1);
    const first = state.page * SIZE, some = found.slice(first, first + SIZE);
    table.tBodies[0].replaceChildren(...some.map(one => {
      const line = document.createElement("tr");
      if (["diverged", "stopped", "interrupted"].includes(one.row.status)) line.className = "lost";
      one.cells.forEach((text, place) => {
        const cell = line.insertCell();
        cell.textContent = text;
        cell.className = columns[place][2];
      });
      return line;
    }));
    document.getElementById("shown").textContent = found.length
      ? `Rows ${first + 1} to ${first + some.length} of ${found.length}` : "No row contains these words";
    document.getElementById("previous").disabled = state.page === 0;
    document.getElementById("next").disabled = state.page === pages - 1;
    [...table.tHead.rows[0].cells].forEach((head, place) => {
      head.setAttribute("aria-sort", place !== state.column ? "none" : state.direction > 0 ? "ascending" : "descending");
    });
  };

  columns.forEach(([, label, kind], place) => {
    const head = document.createElement("th"), button = document.createElement("button");
    head.scope = "col";
    head.className = kind;
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", () => {
      Object.assign(state, { direction: state.column === place ? -state.direction : 1, column: place, page: 0 });
      fill();
    });
    head.append(button);
    table.tHead.rows[0].append(head);
  });
  document.getElementById("filter").addEventListener("input", event => {
    state.words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    state.page = 0;
    fill();
  });
  const turn = by => () => { state.page += by; fill(); };
  document.getElementById("previous").addEventListener("click", turn(-1));
  document.getElementById("next").addEventListener("click", turn(1));
  fill();
  drawAll().then(() => { document.documentElement.dataset.drawn = "yes"; });
})();
