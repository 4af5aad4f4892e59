// What an attack traces beside its value, one small curve each: all move with the handle of the ladder.

class Traces {
  constructor() {
    this.grid = element("div", { class: "traces-grid" });
    this.node = element("section", { class: "traces" }, element("h3", { text: _("What moves together") }), this.grid);
  }

  /** A row a trace: symbol, curve, the number at the handle, what it is. `positions` are the levels' places, 0 to 1. */
  lay(traces, positions) {
    this.positions = positions;
    this.node.hidden = !traces.length;
    this.rows = traces.map(({ symbol, title, values }) => {
      const canvas = element("canvas", { class: "trace", "aria-hidden": "true" }), number = element("b", { class: "trace-number" });
      const known = values.filter((value) => value != null);
      const low = Math.min(0, ...known), high = Math.max(0, ...known);
      const node = element("div", { class: "trace-row", title },
        element("span", { class: "trace-symbol", text: symbol }), canvas, number, element("span", { class: "soft small trace-title", text: title }));
      return { node, canvas, number, values, low, high: high > low ? high : low + 1 };
    });
    this.grid.replaceChildren(...this.rows.map(({ node }) => node));
  }

  draw(level, theme) {
    if (this.node.hidden) return;
    for (const row of this.rows) {
      const box = row.canvas.getBoundingClientRect();
      fitCanvas(row.canvas, box.width, box.height);
      this.curve(row, level, theme);
      const value = row.values[level];
      say(row.number, value == null ? "–" : value === 0 ? "0" : minus(Math.abs(value) < 0.0005 ? value.toExponential(0) : `${Number(value.toPrecision(3))}`));
    }
  }

  curve({ canvas, values, low, high }, level, theme) {
    const pen = canvas.getContext("2d"), ratio = Math.min(window.devicePixelRatio || 1, 2), edge = 4 * ratio;
    const x = (i) => edge + this.positions[i] * (canvas.width - 2 * edge);
    const y = (value) => canvas.height - edge - ((canvas.height - 2 * edge) * (value - low)) / (high - low);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.fillStyle = inked(theme.text, 0.3);
    pen.fillRect(edge, y(0) - 0.5 * ratio, canvas.width - 2 * edge, ratio);  // zero
    pen.beginPath();
    let drawing = false;
    values.forEach((value, i) => {
      if (value == null) { drawing = false; return; }
      if (drawing) pen.lineTo(x(i), y(value)); else pen.moveTo(x(i), y(value));
      drawing = true;
    });
    pen.strokeStyle = inked(theme.text, 0.85);
    pen.lineWidth = 1.6 * ratio;
    pen.lineJoin = "round";
    pen.stroke();
    pen.fillStyle = inked(theme.text, 0.45);
    pen.fillRect(x(level) - 0.75 * ratio, 0, 1.5 * ratio, canvas.height);
    if (values[level] == null) return;
    pen.beginPath();
    pen.arc(x(level), y(values[level]), 4 * ratio, 0, 7);
    pen.fillStyle = theme.category(0);
    pen.fill();
  }
}
