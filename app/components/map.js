// Points on a plane: hover, lasso and box, legend, clean to attacked. A plain 2-D canvas; only a selection's bits go to the server.

const TOOLS = [
  ["pan", N_("Move and open"), "M10 2v16M2 10h16M7.5 4.5L10 2l2.5 2.5M7.5 15.5L10 18l2.5-2.5M4.5 7.5L2 10l2.5 2.5M15.5 7.5L18 10l-2.5 2.5"],
  ["lasso", N_("Lasso (L)"), "M6 12.5C3.5 11.5 2 9.8 2 8c0-3 3.6-5.3 8-5.3S18 5 18 8s-3.6 5.3-8 5.3c-1 0-2-.1-2.8-.3M6 12.5a2 2 0 1 0 1.5 2.6c.6 1.5-.3 2.9-2 3"],
  ["box", N_("Box (B)"), "M3 6V3h3M9 3h2M14 3h3v3M17 9v2M17 14v3h-3M11 17H9M6 17H3v-3M3 11V9"],
];
const FIT = "M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4", CLEAR = "M5 5l10 10M15 5L5 15";
const MAP_PLAY = "M6 4l10 6-10 6z", MAP_PAUSE = "M5 4h3.5v12H5zM11.5 4H15v12h-3.5z";
const ARROWS_SHOWN = 250;

class PointMap {
  constructor(root, report) {
    this.root = root;
    this.report = report;
    this.tool = "pan";
    this.view = { scale: 1, x: 0, y: 0 };
    this.tween = 0;
    this.given = null;
    this.echoes = new Echoes();
    this.fingers = new Map();
    this.build();
    this.resizes = new ResizeObserver(() => this.fit());
    this.resizes.observe(this.stage);
  }

  destroy() {
    this.pause();
    this.resizes.disconnect();
    cancelAnimationFrame(this.pending);
    this.root.replaceChildren();
  }

  build() {
    this.tools = Object.fromEntries(TOOLS.map(([name, title, path]) =>
      [name, element("button", { type: "button", title: _(title), "aria-label": _(title), "aria-pressed": "false", onclick: () => this.choose(name) }, icon(path))]));
    const action = (title, path, act) => element("button", { type: "button", title, "aria-label": title, onclick: act }, icon(path));
    this.clearButton = action(_("Clear the selection (Escape)"), CLEAR, () => this.select(null));
    this.title = element("span", { class: "title" });
    this.count = element("span", { class: "count soft", "aria-live": "polite" });
    this.points = element("canvas", { class: "points" });
    this.over = element("canvas", { class: "over", tabindex: "0", role: "application" });
    this.card = element("div", { class: "card", hidden: true });
    this.hint = element("div", { class: "hint small", hidden: true, text: _("Click the map first, then the wheel zooms") });
    this.stage = element("div", { class: "stage" }, this.points, this.over, this.card, this.hint);
    this.slider = element("input", { type: "range", min: "0", max: "1", step: "0.01", value: "0", oninput: () => { this.pause(); this.moveTo(Number(this.slider.value)); } });
    this.playButton = element("button", { type: "button", class: "play", "aria-label": _("Play"), onclick: () => (this.playing ? this.pause() : this.play()) });
    this.from = element("span");
    this.to = element("span");
    this.mover = element("div", { class: "mover" }, this.playButton, this.from, this.slider, this.to);
    this.legend = element("div", { class: "legend", role: "group", "aria-label": _("Legend: press to select") });
    this.caption = element("p", { class: "caption soft small" });
    this.files = new MapFiles(this);
    this.group = element("div", { class: "map", role: "group" },
      element("header", {}, element("div", {}, this.title, this.count),
        element("div", { class: "tools", role: "toolbar", "aria-label": _("Tools of the map") }, ...Object.values(this.tools), action(_("Whole map (0)"), FIT, () => this.home()), this.clearButton)),
      this.stage, this.mover, this.legend, this.caption, this.files.node);
    this.root.replaceChildren(this.group);
    this.listen();
    this.showPlaying();
    this.choose(window.matchMedia("(pointer: coarse)").matches ? "pan" : "lasso");  // a finger must be able to scroll past
  }

  listen() {
    const { over } = this;
    over.addEventListener("pointerdown", (event) => this.down(event));
    over.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) over.addEventListener(name, (event) => this.up(event));
    over.addEventListener("pointerleave", () => this.hover(-1));
    over.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    over.addEventListener("dblclick", (event) => this.zoom(event.shiftKey ? 0.5 : 2, ...this.at(event)));
    over.addEventListener("keydown", (event) => this.press(event));
  }

  choose(tool) {
    this.tool = tool;
    for (const [name, button] of Object.entries(this.tools)) button.setAttribute("aria-pressed", String(name === tool));
    this.over.style.cursor = tool === "pan" ? "grab" : "crosshair";
    this.over.style.touchAction = tool === "pan" ? "pan-y" : "none";
  }

  update(data) {
    const samePlaces = data.places === this.places;
    this.data = data;
    this.theme = themeOf(this.root);
    if (!samePlaces) { this.decodePlaces(data); this.given = undefined; this.echoes = new Echoes(); }
    this.decodeColours(data);
    if (data.selection !== this.given) {
      this.given = data.selection;
      if (!this.echoes.hears(data.selection)) this.mask = data.selection ? this.unpacked(data.selection) : null;
    }
    this.focus = data.focus ?? -1;
    this.sprite = data.sprite && this.sheet(data.sprite);
    this.decodeMarks(data.marks);
    this.group.setAttribute("aria-label", data.title);
    say(this.title, data.title);
    say(this.caption, data.caption);
    this.mover.hidden = !this.after;
    say(this.from, data.clean_name);
    say(this.to, data.attacked_name);
    this.slider.setAttribute("aria-label", _("From {clean} to {attacked}", { clean: data.clean_name, attacked: data.attacked_name }));
    if (!samePlaces) { this.pause(); this.tween = 0; this.slider.value = "0"; this.view = { scale: 1, x: 0, y: 0 }; }
    this.fit(true);
    this.showCounts();
  }

  decodePlaces(data) {
    this.places = data.places;
    this.n = data.n;
    this.before = arrayOf(data.xy, Uint16Array);
    this.after = arrayOf(data.xy_attacked, Uint16Array);
    this.ids = arrayOf(data.ids, Int32Array);
    this.now = new Float32Array(2 * this.n);
    this.mask = null;
    this.hovered = -1;
    this.lit = -1;
  }

  decodeColours(data) {
    const { colour } = data;
    this.codes = arrayOf(colour.codes, Uint8Array);
    this.codesAfter = arrayOf(colour.codes_attacked, Uint8Array);
    this.uncertain = data.uncertain ? this.unpacked(data.uncertain) : null;
    this.swatches = colour.kind === "class"
      ? Array.from({ length: 256 }, (_, k) => rgbOf(this.theme.category(colour.places[k] ?? k)))
      : this.ramp(colour.ramp);
    this.layLegend();
  }

  /** Pictures that stand at places of their own, such as centroids. */
  decodeMarks(marks) {
    if ((marks && marks.key) === (this.marks && this.marks.key)) { this.marks = marks && { ...marks, sheet: this.marks.sheet, xy: this.marks.xy }; return; }
    this.marks = marks && { ...marks, xy: arrayOf(marks.xy, Uint16Array), sheet: null };
    if (!marks || !marks.sprite) return;
    const sheet = new Image();
    sheet.onload = () => { if (this.marks && this.marks.key === marks.key) { this.marks.sheet = sheet; this.paintOver(); } };
    sheet.src = marks.sprite.src;
  }

  /** 256 colours of a ramp given as [share, "#rrggbb"] pairs; the last code is "no value". */
  ramp(stops) {
    const parsed = stops.map(([share, colour]) => [share, rgbOf(colour)]);
    return Array.from({ length: 256 }, (_, code) => {
      if (code === 255) return this.theme.dark ? [110, 116, 124] : [170, 174, 180];
      const share = code / 254, next = Math.max(1, parsed.findIndex(([stop]) => stop >= share));
      const [[low, from], [high, to]] = [parsed[next - 1], parsed[next]];
      return mixed(from, to, (share - low) / (high - low));
    });
  }

  layLegend() {
    const { colour } = this.data;
    this.totals = new Uint32Array(256);
    for (let i = 0; i < this.n; i++) this.totals[this.codes[i]] += 1;
    const name = element("span", { class: "soft", text: colour.title });
    if (colour.kind === "value") {
      const stops = colour.ramp.map(([share, ink]) => `${ink} ${100 * share}%`).join(", ");
      const bar = element("span", { class: "ramp" });
      bar.style.background = `linear-gradient(90deg, ${stops})`;
      this.chips = [];
      this.legend.replaceChildren(name, element("span", { text: colour.low }), bar, element("span", { text: colour.high }),
        ...(this.totals[255] ? [element("span", { class: "soft", text: _("grey: {missing} ({n})", { missing: colour.missing, n: counted(this.totals[255]) }) })] : []));
      return;
    }
    this.chips = colour.names.map((label, k) => {
      const dot = element("i"), number = element("span", { class: "soft" });
      dot.style.background = inked(this.swatches[k]);
      const chip = element("button", { type: "button", "aria-pressed": "false", title: _("Select {label}; Shift adds", { label }),
        onclick: (event) => this.pick((i) => this.shownCodes()[i] === k, event),
        onpointerenter: () => this.light(k), onpointerleave: () => this.light(-1), onfocus: () => this.light(k), onblur: () => this.light(-1) },
        dot, element("span", { text: label }), number);
      return { chip, number, k };
    });
    this.legend.replaceChildren(name, ...this.chips.map(({ chip }) => chip));
  }

  sheet(sprite) {
    if (this.sprite && this.sprite.key === sprite.key) return this.sprite;
    return { ...sprite, places: arrayOf(sprite.places, Int32Array) };
  }

  /** One byte a point from "b:" bits or "d:" distances between chosen points. */
  unpacked(text) {
    const bytes = bytesOf(text.slice(2)), mask = new Uint8Array(this.n);
    if (text[0] === "b") {
      for (let i = 0; i < this.n; i++) mask[i] = (bytes[i >> 3] >> (i & 7)) & 1;
      return mask;
    }
    for (let at = -1, j = 0; j < bytes.length;) {
      let step = 0, shift = 0, byte;
      do { byte = bytes[j++]; step += (byte & 127) * 2 ** shift; shift += 7; } while (byte & 128);
      at += step;
      if (at < this.n) mask[at] = 1;
    }
    return mask;
  }

  /** The shorter of two spellings: a bit a point, or distances between chosen points of seven bits a byte. */
  packed(mask) {
    const bits = new Uint8Array((this.n + 7) >> 3), steps = [];
    let last = -1;
    for (let i = 0; i < this.n; i++) {
      if (!mask[i]) continue;
      bits[i >> 3] |= 1 << (i & 7);
      let step = i - last;
      last = i;
      while (step > 127) { steps.push((step & 127) | 128); step >>>= 7; }
      steps.push(step);
    }
    return steps.length < bits.length ? `d:${base64Of(Uint8Array.from(steps))}` : `b:${base64Of(bits)}`;
  }

  /** Select where `inside(i)`; Shift adds to what is selected, Alt takes away from it. */
  pick(inside, event) {
    const mask = (event.shiftKey || event.altKey) && this.mask ? this.mask.slice() : new Uint8Array(this.n);
    const value = event.altKey ? 0 : 1;
    for (let i = 0; i < this.n; i++) if (inside(i)) mask[i] = value;
    this.select(mask);
  }

  select(mask) {
    const had = this.mask != null;
    this.mask = mask && mask.includes(1) ? mask : null;
    if (!had && !this.mask) return;
    this.paint();
    this.showCounts();
    const selection = this.mask ? this.packed(this.mask) : null;
    this.echoes.add(selection);
    this.report("selection", selection);
  }

  showCounts() {
    const { mask } = this, codes = this.shownCodes(), chosen = new Uint32Array(256), totals = new Uint32Array(256);
    let all = 0;
    for (let i = 0; i < this.n; i++) {
      totals[codes[i]] += 1;
      if (mask && mask[i]) { chosen[codes[i]] += 1; all += 1; }
    }
    for (const { chip, number, k } of this.chips) {
      say(number, mask ? `${counted(chosen[k])} / ${counted(totals[k])}` : counted(totals[k]));
      chip.setAttribute("aria-pressed", String(Boolean(mask) && chosen[k] > 0 && chosen[k] === totals[k] && all === chosen[k]));
      chip.classList.toggle("none", Boolean(mask) && !chosen[k]);
    }
    say(this.count, mask ? _("{n} of {total} selected", { n: counted(all), total: counted(this.n) }) : n_("{count} sample", "{count} samples", this.n, { count: counted(this.n) }));
    this.clearButton.disabled = !mask;
    this.root.dataset.selected = all;
    this.over.setAttribute("aria-label", `${this.data.title}: ${this.count.textContent}. ${this.data.summary} ${_("Arrow keys move, plus and minus zoom, 0 shows all, Escape clears the selection.")}`);
  }

  fit(force = false) {
    if (!this.data) return;
    const { width, height } = this.stage.getBoundingClientRect();
    if (!width) return;
    this.ratio = Math.min(window.devicePixelRatio || 1, 2);
    const resized = fitCanvas(this.points, width, height);
    fitCanvas(this.over, width, height);
    if (force || resized) this.paint();
  }

  /** Where everything is now, in pixels of the canvas. */
  place() {
    const { before, after, now, tween, view } = this, { width, height } = this.points;
    const [wide, high] = this.data.extent, pad = 16 * this.ratio;
    const across0 = (width - 2 * pad) / wide, up0 = (height - 2 * pad) / high, most = 1.6 * Math.min(across0, up0);
    const across = (Math.min(across0, most) * wide * view.scale) / 65535, up = (Math.min(up0, most) * high * view.scale) / 65535;
    const left = width / 2 + view.x * this.ratio - across * 32767.5, top = height / 2 + view.y * this.ratio + up * 32767.5;
    this.onCanvas = (x, y) => [left + x * across, top - y * up];
    this.perUnit = Math.sqrt(across * up) * 65535 / Math.sqrt(wide * high);
    for (let i = 0; i < 2 * this.n; i += 2) {
      const x = after ? before[i] + (after[i] - before[i]) * tween : before[i];
      const y = after ? before[i + 1] + (after[i + 1] - before[i + 1]) * tween : before[i + 1];
      now[i] = left + x * across;
      now[i + 1] = top - y * up;
    }
    this.grid = null;
  }

  shownCodes() {
    return this.codesAfter && this.tween >= 0.5 ? this.codesAfter : this.codes;
  }

  radius() {
    const size = 5.4 - 0.95 * Math.log10(this.n + 1);
    return Math.max(0.9, Math.min(4.2, size)) * this.ratio * Math.min(2.2, this.view.scale ** 0.35);
  }

  soon() {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => { this.pending = 0; this.paint(); });
  }

  paint() {
    const began = performance.now();
    this.place();
    const { width, height } = this.points, pen = this.points.getContext("2d");
    if (!this.image || this.image.width !== width || this.image.height !== height) {
      this.image = new ImageData(width, height);
      this.pixels = new Uint32Array(this.image.data.buffer);
    }
    this.pixels.fill(0);
    this.stampAll(width, height);
    pen.putImageData(this.image, 0, 0);
    this.paintOver();
    this.root.dataset.paintMs = (performance.now() - began).toFixed(1);
    this.root.dataset.paints = Number(this.root.dataset.paints || 0) + 1;
  }

  /** Quiet points first, so that the chosen ones lie on top. */
  stampAll(width, height) {
    const { mask, lit, uncertain, now, n } = this, codes = this.shownCodes(), picking = mask || lit >= 0;
    const disc = stampOf(this.radius(), false), ring = stampOf(this.radius() + 0.8 * this.ratio, true);
    const full = this.swatches.map((colour) => pixelOf(colour)), page = this.theme.background;
    const quiet = this.swatches.map((colour) => pixelOf(mixed(page, colour, this.theme.dark ? 0.3 : 0.22)));
    for (const chosen of picking ? [0, 1] : [1]) {
      const inks = chosen ? full : quiet;
      for (let i = 0; i < n; i++) {
        if (picking && (mask ? mask[i] : Number(codes[i] === lit)) !== chosen) continue;
        stamp(this.pixels, width, height, Math.round(now[2 * i]), Math.round(now[2 * i + 1]), inks[codes[i]], uncertain && uncertain[i] ? ring : disc);
      }
    }
  }

  paintOver() {
    const { over, theme, ratio } = this, pen = over.getContext("2d");
    pen.clearRect(0, 0, over.width, over.height);
    if (this.after && this.tween > 0) this.paintArrows(pen);
    if (this.marks) this.paintMarks(pen);
    for (const [i, colour] of [[this.focus, "#d55e00"], [this.hovered, inked(theme.text)]]) {
      if (i < 0 || i >= this.n) continue;
      pen.beginPath();
      pen.arc(this.now[2 * i], this.now[2 * i + 1], this.radius() + 4 * ratio, 0, 7);
      pen.lineWidth = 2.5 * ratio;
      pen.strokeStyle = colour;
      pen.stroke();
    }
    if (!this.path || this.path.length < 2) return;
    pen.beginPath();
    for (const [x, y] of this.outline()) pen.lineTo(x * ratio, y * ratio);
    pen.closePath();
    pen.fillStyle = inked(theme.text, 0.08);
    pen.fill();
    pen.setLineDash([5 * ratio, 4 * ratio]);
    pen.lineWidth = 1.5 * ratio;
    pen.strokeStyle = inked(theme.text, 0.85);
    pen.stroke();
    pen.setLineDash([]);
  }

  /** Marks with their pictures, those that matter last and with a frame; a line from the chosen point to each of these. */
  paintMarks(pen) {
    const { marks, theme, ratio } = this, strong = new Map(marks.strong), count = marks.xy.length / 2;
    const at = (k) => this.onCanvas(marks.xy[2 * k], marks.xy[2 * k + 1]);
    if (this.focus >= 0 && this.focus < this.n) for (const [k, dashed] of strong) {
      pen.setLineDash(dashed ? [5 * ratio, 4 * ratio] : []);
      pen.lineWidth = 2 * ratio;
      pen.strokeStyle = inked(theme.text, 0.85);
      pen.beginPath();
      pen.moveTo(this.now[2 * this.focus], this.now[2 * this.focus + 1]);
      pen.lineTo(...at(k));
      pen.stroke();
    }
    const order = Array.from({ length: count }, (_, k) => k).sort((a, b) => Number(strong.has(a)) - Number(strong.has(b)));
    for (const k of order) {
      const [x, y] = at(k), size = (strong.has(k) ? 34 : 22) * ratio, left = x - size / 2, top = y - size / 2;
      pen.setLineDash([]);
      pen.fillStyle = inked(theme.background);
      pen.fillRect(left, top, size, size);
      if (marks.sheet) {
        const { tile: [width, height], columns } = marks.sprite, share = size / Math.max(width, height);
        pen.imageSmoothingEnabled = false;
        pen.drawImage(marks.sheet, (k % columns) * width, Math.floor(k / columns) * height, width, height,
          x - (width * share) / 2, y - (height * share) / 2, width * share, height * share);
      }
      pen.setLineDash(strong.get(k) ? [5 * ratio, 3 * ratio] : []);
      pen.lineWidth = (strong.has(k) ? 3 : 1.5) * ratio;
      pen.strokeStyle = strong.has(k) ? inked(theme.text) : inked(this.swatches[marks.codes[k]]);
      pen.strokeRect(left, top, size, size);
    }
    pen.setLineDash([]);
  }

  /** Arrows of the chosen points, or of a spread of all; grey where shorter than the map's own error. */
  paintArrows(pen) {
    const { ratio, theme, now } = this, wanted = this.arrows(), head = 4 * ratio;
    for (const i of wanted) {
      const [x0, y0] = this.onCanvas(this.before[2 * i], this.before[2 * i + 1]), x1 = now[2 * i], y1 = now[2 * i + 1];
      const length = Math.hypot(x1 - x0, y1 - y0);
      if (length < 2 * ratio) continue;
      const sure = length >= this.data.xy_error * this.perUnit * this.tween, along = [(x1 - x0) / length, (y1 - y0) / length];
      pen.strokeStyle = pen.fillStyle = sure ? inked(theme.text, 0.6) : inked(theme.dark ? [130, 138, 148] : [150, 155, 162], 0.5);
      pen.lineWidth = ratio;
      pen.beginPath();
      pen.moveTo(x0, y0);
      pen.lineTo(x1, y1);
      pen.stroke();
      pen.beginPath();
      pen.moveTo(x1, y1);
      for (const side of [1, -1]) pen.lineTo(x1 - head * (along[0] + 0.5 * side * along[1]), y1 - head * (along[1] - 0.5 * side * along[0]));
      pen.fill();
    }
  }

  arrows() {
    const chosen = [];
    if (this.mask) for (let i = 0; i < this.n && chosen.length < ARROWS_SHOWN; i++) if (this.mask[i]) chosen.push(i);
    if (chosen.length) return chosen;
    if (this.data.arrows) return this.data.arrows;
    const stride = Math.max(1, Math.ceil(this.n / ARROWS_SHOWN));
    return Array.from({ length: Math.floor(this.n / stride) }, (_, j) => j * stride);
  }

  light(k) {
    if (this.lit === k) return;
    this.lit = k;
    if (!this.mask) this.soon();
  }

  /** The nearest point within `reach` canvas pixels, or −1. Points lie in square cells, sorted by counting. */
  nearest(x, y, reach) {
    if (!this.grid) this.sortIntoCells();
    const { size, columns, rows, starts, order } = this.grid, { now } = this;
    let best = -1, least = reach * reach;
    const low = (v) => Math.max(0, Math.floor((v - reach) / size)), high = (v, end) => Math.min(end - 1, Math.floor((v + reach) / size));
    for (let row = low(y); row <= high(y, rows); row++) for (let column = low(x); column <= high(x, columns); column++) {
      const cell = row * columns + column;
      for (let j = starts[cell]; j < starts[cell + 1]; j++) {
        const i = order[j], distance = (now[2 * i] - x) ** 2 + (now[2 * i + 1] - y) ** 2;
        if (distance < least) { least = distance; best = i; }
      }
    }
    return best;
  }

  sortIntoCells() {
    const size = 24 * this.ratio, columns = Math.ceil(this.points.width / size) + 1, rows = Math.ceil(this.points.height / size) + 1;
    const starts = new Int32Array(columns * rows + 1), cells = new Int32Array(this.n), order = new Int32Array(this.n);
    for (let i = 0; i < this.n; i++) {
      const column = Math.floor(this.now[2 * i] / size), row = Math.floor(this.now[2 * i + 1] / size);
      cells[i] = column < 0 || row < 0 || column >= columns || row >= rows ? -1 : row * columns + column;
      if (cells[i] >= 0) starts[cells[i] + 1] += 1;
    }
    for (let c = 0; c < columns * rows; c++) starts[c + 1] += starts[c];
    const next = starts.slice();
    for (let i = 0; i < this.n; i++) if (cells[i] >= 0) order[next[cells[i]]++] = i;
    this.grid = { size, columns, rows, starts, order };
  }

  hover(i) {
    if (i === this.hovered) return;
    this.hovered = i;
    this.paintOver();
    this.card.hidden = i < 0;
    if (i >= 0) this.fillCard(i);
  }

  fillCard(i) {
    const { colour, extra } = this.data, code = this.shownCodes()[i];
    const lines = [];
    if (colour.kind === "class") lines.push(`${colour.title} ${colour.names[code]}`);
    else lines.push(code === 255 ? `${colour.title}: ${colour.missing}` : _("{title} about {value}", { title: colour.title, value: (colour.span[0] + ((colour.span[1] - colour.span[0]) * code) / 254).toPrecision(3) }));
    for (const other of extra || []) {
      other.decoded ??= arrayOf(other.codes, Uint8Array);
      lines.push(`${other.title} ${other.names[other.decoded[i]]}`);
    }
    if (this.uncertain && this.uncertain[i]) lines.push(_("far from all its neighbours: its place means little"));
    this.card.replaceChildren(...[this.thumbnail(i), element("div", {}, element("b", { text: _("sample {id}", { id: this.idOf(i) }) }), ...lines.map((text) => element("span", { text })))].filter(Boolean));
    const x = this.now[2 * i] / this.ratio, y = this.now[2 * i + 1] / this.ratio, { width } = this.stage.getBoundingClientRect();
    this.card.style.left = `${Math.min(Math.max(8, x - this.card.offsetWidth / 2), Math.max(8, width - this.card.offsetWidth - 8))}px`;
    const above = y - this.card.offsetHeight - 14;
    this.card.style.top = `${above >= 4 ? above : y + 14}px`;
  }

  thumbnail(i) {
    if (!this.sprite) return null;
    const { places, columns, tile, src, size } = this.sprite, at = places ? places[i] : i;
    if (at == null || at < 0) return null;
    const scale = 56 / Math.max(...tile), shown = element("i", { class: "thumb pixels" });
    shown.style.cssText = `width:${tile[0] * scale}px;height:${tile[1] * scale}px;background:url(${src}) ${-(at % columns) * tile[0] * scale}px ${-Math.floor(at / columns) * tile[1] * scale}px/${size[0] * scale}px ${size[1] * scale}px`;
    return shown;
  }

  idOf(i) {
    return this.ids ? this.ids[i] : i;
  }

  at(event) {
    const box = this.over.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  down(event) {
    if (event.button > 0) return;
    this.over.focus({ preventScroll: true });
    this.over.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, this.at(event));
    this.hint.hidden = true;
    if (this.fingers.size === 2) { this.path = null; this.spread = this.pinch(); return; }
    this.pressed = this.at(event);
    this.dragged = false;
    if (this.tool !== "pan") this.path = [this.pressed];
  }

  move(event) {
    const [x, y] = this.at(event);
    if (!this.fingers.has(event.pointerId)) {
      this.hover(this.nearest(x * this.ratio, y * this.ratio, 10 * this.ratio));
      return;
    }
    const [lastX, lastY] = this.fingers.get(event.pointerId);
    this.fingers.set(event.pointerId, [x, y]);
    if (this.fingers.size === 2) return this.pinched();
    if (!this.pressed) return;
    if (!this.dragged && Math.hypot(x - this.pressed[0], y - this.pressed[1]) < 4) return;
    this.dragged = true;
    this.hover(-1);
    if (this.tool === "pan") { this.view.x += x - lastX; this.view.y += y - lastY; this.soon(); return; }
    const [endX, endY] = this.path[this.path.length - 1];
    if (this.tool === "box") this.path[1] = [x, y];
    else if (Math.hypot(x - endX, y - endY) >= 3) this.path.push([x, y]);
    this.paintOver();
  }

  up(event) {
    if (!this.fingers.delete(event.pointerId)) return;
    if (this.spread != null) { if (!this.fingers.size) this.spread = this.pressed = null; return; }
    const { path, dragged } = this, [x, y] = this.at(event);
    this.path = this.pressed = null;
    if (event.type === "pointercancel") return this.paintOver();
    if (!dragged) this.click(x, y);
    else if (this.tool !== "pan") { this.path = path; const outline = this.outline(); this.path = null; this.gather(outline, event); }
  }

  /** A click opens the nearest point; on empty ground it clears the selection. */
  click(x, y) {
    const i = this.nearest(x * this.ratio, y * this.ratio, 12 * this.ratio);
    if (i < 0) { this.select(null); this.paintOver(); return; }
    this.focus = i;
    this.paintOver();
    this.report("point", this.idOf(i));
  }

  outline() {
    if (this.tool !== "box" || this.path.length < 2) return this.path;
    const [[x0, y0], [x1, y1]] = this.path;
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
  }

  /** Select inside a polygon; any shape with three corners counts, and it closes itself. */
  gather(outline, event) {
    if (outline.length < 3) return this.paintOver();
    const began = performance.now(), { now, ratio } = this;
    const xs = Float64Array.from(outline, ([x]) => x * ratio), ys = Float64Array.from(outline, ([, y]) => y * ratio);
    const left = Math.min(...xs), right = Math.max(...xs), top = Math.min(...ys), bottom = Math.max(...ys), corners = xs.length;
    this.pick((i) => {
      const x = now[2 * i], y = now[2 * i + 1];
      if (x < left || x > right || y < top || y > bottom) return false;
      let inside = false;
      for (let j = 0, k = corners - 1; j < corners; k = j++) {
        if (ys[j] > y !== ys[k] > y && x < ((xs[k] - xs[j]) * (y - ys[j])) / (ys[k] - ys[j]) + xs[j]) inside = !inside;
      }
      return inside;
    }, event);
    this.root.dataset.lassoMs = (performance.now() - began).toFixed(1);
    this.paintOver();
  }

  wheel(event) {
    const mine = event.ctrlKey || event.metaKey || this.root.getRootNode().activeElement === this.over;
    this.hint.hidden = mine;
    if (!mine) { clearTimeout(this.hinting); this.hinting = setTimeout(() => { this.hint.hidden = true; }, 1500); return; }
    event.preventDefault();
    this.zoom(2 ** (-event.deltaY / 400), ...this.at(event));
  }

  zoom(factor, x, y) {
    const { view } = this, scale = Math.max(1, Math.min(200, view.scale * factor)), share = scale / view.scale;
    const { width, height } = this.stage.getBoundingClientRect();
    view.x = x - width / 2 - (x - width / 2 - view.x) * share;
    view.y = y - height / 2 - (y - height / 2 - view.y) * share;
    view.scale = scale;
    if (scale === 1) view.x = view.y = 0;
    this.hover(-1);
    this.soon();
  }

  pinch() {
    const [[x0, y0], [x1, y1]] = [...this.fingers.values()];
    return { wide: Math.hypot(x1 - x0, y1 - y0), x: (x0 + x1) / 2, y: (y0 + y1) / 2 };
  }

  pinched() {
    const next = this.pinch();
    this.view.x += next.x - this.spread.x;
    this.view.y += next.y - this.spread.y;
    this.zoom(next.wide / this.spread.wide, next.x, next.y);
    this.spread = next;
  }

  home() {
    this.view = { scale: 1, x: 0, y: 0 };
    this.soon();
  }

  press(event) {
    const { width, height } = this.stage.getBoundingClientRect(), step = 40;
    const shift = (x, y) => { this.view.x += x; this.view.y += y; this.soon(); };
    const acts = { ArrowLeft: () => shift(step, 0), ArrowRight: () => shift(-step, 0), ArrowUp: () => shift(0, step), ArrowDown: () => shift(0, -step),
      "+": () => this.zoom(1.4, width / 2, height / 2), "=": () => this.zoom(1.4, width / 2, height / 2), "-": () => this.zoom(1 / 1.4, width / 2, height / 2),
      0: () => this.home(), Escape: () => this.select(null), l: () => this.choose("lasso"), b: () => this.choose("box"), p: () => this.choose("pan") };
    if (!acts[event.key] || event.ctrlKey || event.metaKey) return;
    acts[event.key]();
    event.preventDefault();
    event.stopPropagation();
  }

  moveTo(share) {
    const crossed = this.codesAfter && (this.tween >= 0.5) !== (share >= 0.5);
    this.tween = share;
    this.slider.value = String(share);
    this.hover(-1);
    this.soon();
    if (crossed) this.showCounts();
  }

  play() {
    if (quietMotion.matches) { this.moveTo(this.tween < 0.5 ? 1 : 0); return; }
    this.playing = true;
    this.showPlaying();
    const began = performance.now(), from = this.tween, to = from < 0.5 ? 1 : 0;
    const tick = (time) => {
      if (!this.playing) return;
      const share = Math.min(1, (time - began) / 1400), eased = share * share * (3 - 2 * share);
      this.moveTo(from + (to - from) * eased);
      if (share < 1) this.ticking = requestAnimationFrame(tick); else this.pause();
    };
    this.ticking = requestAnimationFrame(tick);
  }

  pause() {
    cancelAnimationFrame(this.ticking);
    this.playing = false;
    this.showPlaying();
  }

  showPlaying() {
    const drawing = icon(this.playing ? MAP_PAUSE : MAP_PLAY);
    drawing.classList.add("solid");
    this.playButton.replaceChildren(drawing);
    this.playButton.setAttribute("aria-label", this.playing ? _("Pause") : _("Play from one to the other"));
  }
}

/** A disc or a ring as [dx, dy, cover] triples, cover 0 to 255 at its soft edge. */
function stampOf(radius, hollow) {
  const reach = Math.ceil(radius + 0.5), triples = [];
  for (let dy = -reach; dy <= reach; dy++) for (let dx = -reach; dx <= reach; dx++) {
    const away = Math.hypot(dx, dy), outer = Math.min(1, Math.max(0, radius + 0.5 - away));
    const inner = hollow ? Math.min(1, Math.max(0, away - (radius - 1.4) + 0.5)) : 1;
    const cover = Math.round(255 * outer * inner);
    if (cover > 20) triples.push(dx, dy, cover);
  }
  return Int32Array.from(triples);
}

/** Lay a stamp of one colour on pixels; soft edges mix with what lies there. */
function stamp(pixels, width, height, x, y, colour, triples) {
  for (let j = 0; j < triples.length; j += 3) {
    const px = x + triples[j], py = y + triples[j + 1], cover = triples[j + 2];
    if (px < 0 || py < 0 || px >= width || py >= height) continue;
    const at = py * width + px, old = pixels[at];
    if (cover >= 250) pixels[at] = colour;
    else if (old >>> 24 === 0) pixels[at] = ((colour & 0xffffff) | (cover << 24)) >>> 0;
    else {
      const share = cover / 255, red = (old & 255) + ((colour & 255) - (old & 255)) * share;
      const green = ((old >> 8) & 255) + (((colour >> 8) & 255) - ((old >> 8) & 255)) * share;
      const blue = ((old >> 16) & 255) + (((colour >> 16) & 255) - ((old >> 16) & 255)) * share;
      pixels[at] = ((Math.max(old >>> 24, cover) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
    }
  }
}
