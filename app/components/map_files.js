// A map as it stands, as SVG and PNG, and every point as CSV; nothing goes to the server.

const LINE = 18, LETTER_WIDE = 7.2;

/** What a map shows, as files; three buttons below it. */
class MapFiles {
  constructor(map) {
    this.map = map;
    const makes = { svg: () => svgFile(this.svg()), png: () => pngOf(this.svg()), csv: () => new Blob([this.table()], { type: "text/csv" }) };
    this.node = new SaveBar(_("Save this map"), makes, () => "feint-map").node;
  }

  /** Title, points, what lies over them, and the legend, as text. */
  svg() {
    const { map } = this, { theme } = map, box = map.stage.getBoundingClientRect();
    const width = Math.round(box.width), height = Math.round(box.height), names = this.legend(width), tall = height + LINE * (names.lines + 1.5);
    const whole = drawn("svg", { xmlns: SVG_SPACE, width, height: tall, "font-family": "system-ui, sans-serif", "font-size": 12, fill: hexOf(theme.text) });
    whole.setAttribute("viewBox", `0 0 ${width} ${tall}`);
    whole.append(drawn("rect", { width: "100%", height: "100%", fill: hexOf(theme.background) }), drawn("text", { x: 8, y: 13, "font-weight": 600 }, map.data.title));
    const inside = drawn("svg", { y: LINE, width, height, viewBox: `0 0 ${width} ${height}` });
    inside.append(...this.points(), drawn("image", { width, height, href: map.over.toDataURL() }));
    whole.append(inside);
    for (const { x, y, label, ink } of names.chips) {
      whole.append(drawn("circle", { cx: x + 5, cy: LINE + height + y - 4, r: 4, fill: ink }), drawn("text", { x: x + 14, y: LINE + height + y }, label));
    }
    return new XMLSerializer().serializeToString(whole);
  }

  /** The points, one group a colour; those that are not selected quietly below. */
  points() {
    const { map } = this, { mask, now, ratio, uncertain } = map, codes = map.shownCodes(), groups = new Map();
    for (let i = 0; i < map.n; i++) {
      const quiet = mask && !mask[i], key = 2 * codes[i] + Number(!quiet);
      if (!groups.has(key)) groups.set(key, drawn("g", { fill: hexOf(map.swatches[codes[i]]), stroke: "none", ...(quiet ? { opacity: 0.25 } : {}) }));
      const dot = { cx: (now[2 * i] / ratio).toFixed(1), cy: (now[2 * i + 1] / ratio).toFixed(1), r: (map.radius() / ratio).toFixed(1) };
      const hollow = uncertain && uncertain[i] ? { fill: "none", stroke: hexOf(map.swatches[codes[i]]) } : {};
      groups.get(key).append(drawn("circle", { ...dot, ...hollow }));
    }
    return [...groups.entries()].sort(([a], [b]) => (a & 1) - (b & 1)).map(([, group]) => group);
  }

  /** Where the names of the colours stand, in as many lines as they need. */
  legend(width) {
    const { colour } = this.map.data, chips = [];
    if (colour.kind === "value") return { lines: 1, chips: [{ x: 8, y: LINE, label: `${colour.title}: ${colour.low} … ${colour.high}`, ink: hexOf(this.map.swatches[254]) }] };
    let x = 8, line = 1;
    colour.names.forEach((label, k) => {
      const wide = 26 + LETTER_WIDE * label.length;
      if (x + wide > width && x > 8) { x = 8; line += 1; }
      chips.push({ x, y: LINE * line, label, ink: hexOf(this.map.swatches[k]) });
      x += wide;
    });
    return { lines: line, chips };
  }

  /** One line a point: its number, its place in the map's units from its lower left corner, its colour's name. */
  table() {
    const { map } = this, { colour, extent } = map.data, [wide, high] = extent.map((side) => side / 65535);
    const quoted = (text) => `"${String(text).replaceAll('"', '""')}"`;
    const meaning = (code) => (colour.kind === "class" ? quoted(colour.names[code]) : code === 255 ? "" : (colour.span[0] + ((colour.span[1] - colour.span[0]) * code) / 254).toPrecision(4));
    const place = (xy, i) => [(xy[2 * i] * wide).toPrecision(6), (xy[2 * i + 1] * high).toPrecision(6)];
    const after = (i) => (map.after ? [...place(map.after, i), ...(map.codesAfter ? [meaning(map.codesAfter[i])] : [])] : []);
    const heads = ["sample", "x", "y", quoted(colour.title), ...(map.after ? ["x_attacked", "y_attacked", ...(map.codesAfter ? [quoted(`${colour.title} attacked`)] : [])] : [])];
    const lines = Array.from({ length: map.n }, (_unused, i) => [map.idOf(i), ...place(map.before, i), meaning(map.codes[i]), ...after(i)].join(","));
    return [heads.join(","), ...lines, ""].join("\n");
  }
}
