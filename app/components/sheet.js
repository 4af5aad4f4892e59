// A drawing that is saved as SVG: its elements, its colours, and lines of text that grow downwards.

const SHEET_EDGE = 24, SHEET_GAP = 18, SHEET_FONT = "system-ui, sans-serif";
const KEY_SIGNS = { solid: "—", dashed: "- -", band: "▬" };

/** An element of a drawing, with its text. */
function drawn(tag, attributes, text) {
  const node = document.createElementNS(SVG_SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text != null) node.textContent = text;
  return node;
}

/** A colour, [red, green, blue] or any CSS, as #rrggbb, which every program that reads SVG knows. */
function hexOf(colour) {
  const parts = typeof colour === "string" ? rgbOf(colour) : colour;
  return `#${parts.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;
}

/** Lines of CSV: a row's columns by name; columns that no row knows are left out. */
function csvFile(rows) {
  const known = (value) => value != null && !Number.isNaN(value), heads = Object.keys(rows[0]).filter((head) => rows.some((row) => known(row[head])));
  const cell = (value) => (!known(value) ? "" : typeof value === "string" ? `"${value.replaceAll('"', '""')}"` : typeof value === "number" ? Number(value.toPrecision(7)) : value);
  return new Blob([[heads.join(","), ...rows.map((row) => heads.map((head) => cell(row[head])).join(",")), ""].join("\n")], { type: "text/csv" });
}

/** A drawing so wide: what comes next stands at `y`. */
class Sheet {
  constructor(theme, width) {
    this.theme = theme;
    this.width = width;
    this.inner = width - 2 * SHEET_EDGE;
    this.y = SHEET_EDGE;
    this.nodes = [];
  }

  /** Text in as many lines as it needs. */
  write(text, size, { x = SHEET_EDGE, width = this.inner, weight = 400 } = {}) {
    const lines = [];
    colourProbe.font = `${weight} ${size}px ${SHEET_FONT}`;
    for (const word of text.split(" ")) {
      const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
      if (lines.length && colourProbe.measureText(longer).width <= width) lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    for (const line of lines) {
      this.y += 1.4 * size;
      this.nodes.push(drawn("text", { x, y: (this.y - 0.3 * size).toFixed(1), "font-size": size, "font-weight": weight }, line));
    }
  }

  /** The three pictures of a ladder as they are, each with what stands under it; those of a row of a table as bars. */
  pictures(ladder, side) {
    const [, height, width] = ladder.data.shape, tall = Math.round(height === 1 ? side / 3 : (side * height) / width), top = (this.y += 8);
    if (ladder.data.features) {
      this.nodes.push(...ladder.features.drawing(this.theme, [SHEET_EDGE, top, this.inner]));
      this.y += 22 * ladder.features.rows.length;
      return;
    }
    const ends = ["clean", "delta", "attacked"].map((name, i) => {
      const x = SHEET_EDGE + i * (side + SHEET_GAP);
      this.nodes.push(drawn("image", { x, y: top, width: side, height: tall, preserveAspectRatio: "none", style: "image-rendering: pixelated", href: ladder[name].toDataURL() }));
      this.y = top + tall + 4;
      this.write([`${name}Name`, `${name}Note`].map((part) => ladder[part].textContent).filter(Boolean).join(": "), 12, { x, width: side });
      return this.y;
    });
    this.y = Math.max(...ends);
  }

  /** Numbers below an axis, as they stand on the page. */
  ticks(scale) {
    this.y += 14;
    for (const tick of scale.children) {
      const at = parseFloat(tick.style.left) / 100;
      this.nodes.push(drawn("text", { x: SHEET_EDGE + at * this.inner, y: this.y, "font-size": 11, "text-anchor": anchorOf(at) }, tick.textContent));
    }
    this.y += 6;
  }

  /** A band of runs, each [from, to, colour] in shares of the axis. */
  band(runs, top, height) {
    for (const [from, to, colour] of runs) this.nodes.push(drawn("rect", { x: (SHEET_EDGE + from * this.inner).toFixed(1), y: top, width: ((to - from) * this.inner).toFixed(1), height, fill: hexOf(colour) }));
  }

  /** An upright line at a share of the axis. */
  upright(at, top, height, width) {
    const x = (SHEET_EDGE + at * this.inner - width / 2).toFixed(1);
    this.nodes.push(drawn("rect", { x, y: top, width, height, fill: hexOf(this.theme.text) }));
  }

  /** The SVG's text. */
  text() {
    const { theme, width } = this, height = Math.ceil(this.y + SHEET_EDGE);
    const whole = drawn("svg", { xmlns: SVG_SPACE, width, height, viewBox: `0 0 ${width} ${height}`, "font-family": SHEET_FONT, fill: hexOf(theme.text) });
    whole.append(drawn("rect", { width, height, fill: hexOf(theme.background) }), ...this.nodes);
    return new XMLSerializer().serializeToString(whole);
  }
}

/** How a text stands at a share of the axis, so that it stays on the sheet. */
const anchorOf = (at) => (at < 0.1 ? "start" : at > 0.9 ? "end" : "middle");

/** Levels with one colour after another as runs [from, to, colour]: `positions` are the levels' places, 0 to 1. */
function runsOf(positions, colour) {
  const last = positions.length - 1, runs = [];
  positions.forEach((place, i) => {
    const from = i ? (positions[i - 1] + place) / 2 : place, to = i < last ? (place + positions[i + 1]) / 2 : place;
    if (runs.length && runs.at(-1)[2] === colour(i)) runs.at(-1)[1] = to;
    else runs.push([from, to, colour(i)]);
  });
  return runs;
}
