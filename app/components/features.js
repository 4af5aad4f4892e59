// A row of a table under attack: its features that move most, as bars from zero to either side, all moving with the handle of the ladder.

const FEATURES_SHOWN = 12;

class Features {
  constructor() {
    this.list = element("div", { class: "feature-rows" });
    this.note = element("p", { class: "soft small" });
    this.node = element("section", { class: "features" }, element("h3", { text: _("Features that move most") }), this.list, this.note);
  }

  /** Names, ranges and clean values (d); `delta` (levels · d) in bytes with a step a level, drawn `gain` times. Rows keep the order that they have at the level `at`. */
  lay(table, delta, steps, gain, at) {
    this.node.hidden = !table;
    if (!table) return;
    const size = table.clean.length;
    this.shift = (j, level) => delta[level * size + j] * steps[level];
    const order = Array.from({ length: size }, (_, j) => j).sort((a, b) => Math.abs(this.shift(b, at)) - Math.abs(this.shift(a, at)) || a - b);
    this.reach = 1 / gain;
    this.rows = order.slice(0, FEATURES_SHOWN).map((j) => {
      const bar = element("i"), number = element("span", { class: "feature-number" });
      const low = table.low[j], span = table.span[j], before = table.clean[j];
      const row = element("div", { class: "feature-row", title: _("{name}: {low} to {high} in the data", { name: table.names[j], low: shortly(low), high: shortly(low + span) }) },
        element("span", { class: "feature-name", text: table.names[j] }), element("span", { class: "feature-lane" }, bar), number);
      return { j, row, bar, number, name: table.names[j], value: (x) => low + span * x, before };
    });
    this.list.replaceChildren(...this.rows.map(({ row }) => row));
    const rest = size - this.rows.length;
    const reach = shortly(this.reach), said = { reach, rest: counted(rest) };
    say(this.note, rest > 0 ? _("A full bar is ±{reach} of a feature's range; {rest} further features are not shown.", said) : _("A full bar is ±{reach} of a feature's range.", said));
  }

  draw(level) {
    if (this.node.hidden) return;
    for (const row of this.rows) {
      const moved = this.shift(row.j, level), share = Math.min(1, Math.abs(moved) / this.reach);
      row.bar.className = moved < 0 ? "less" : "more";
      row.bar.style.transform = `scaleX(${share.toFixed(4)})`;
      say(row.number, this.text(row, moved));
    }
    this.level = level;
  }

  text(row, moved) {
    const now = row.value(Math.min(1, Math.max(0, row.before + moved)));
    return `${shortly(row.value(row.before))} → ${shortly(now)}`;
  }

  /** The same as elements of a drawing, a line of 22 a feature: [left, top, width]. */
  drawing(theme, [left, top, width]) {
    const middle = left + 0.55 * width, half = 0.2 * width;
    return this.rows.flatMap((row, place) => {
      const y = top + 22 * place, moved = this.shift(row.j, this.level), long = half * Math.min(1, Math.abs(moved) / this.reach);
      return [
        drawn("text", { x: left, y: y + 12, "font-size": 12 }, row.name),
        drawn("text", { x: left + 0.78 * width, y: y + 12, "font-size": 12 }, this.text(row, moved)),
        drawn("rect", { x: moved < 0 ? middle - long : middle, y: y + 2, width: long, height: 12, fill: hexOf(moved < 0 ? PALETTE.negative : PALETTE.positive) }),
      ];
    });
  }
}

/** A number with three digits. */
function shortly(value) {
  return minus(Math.abs(value) >= 1e4 || (value !== 0 && Math.abs(value) < 1e-3) ? value.toExponential(1) : `${Number(value.toPrecision(3))}`);
}
