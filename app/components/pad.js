// A pad to draw on, and to mark places of a picture on: mouse, pen, finger, or keys. What was done is reported
// a moment after the pen is lifted: "drawn" (a PNG), or "marked" (a bit for each place, row by row).

const UNDO = "M7 4L3.5 7.5L7 11M4 7.5h7a4.5 4.5 0 0 1 0 9H8", CLEAR = "M4 6h12M8 6V4h4v2M6 6l.7 10h6.6L14 6M8.7 9v4.5M11.3 9v4.5", INVERT = "M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14";
const SIDE = 280, PAUSE_TO_REPORT = 600, STEPS_ACROSS = 28;

class Pad {
  constructor(root, report) {
    this.root = root;
    this.report = report;
    this.sent = new Set();
    this.done = [];  // strokes, clearings and inversions since the picture that was given
    this.cursor = null;
    this.build();
  }

  destroy() {
    clearTimeout(this.waiting);
    this.root.replaceChildren();
  }

  build() {
    const button = (text, path, act) => element("button", { type: "button", onclick: act }, icon(path), element("span", { text }));
    this.canvas = element("canvas", { class: "paper", tabindex: "0", role: "application" });
    this.width = element("input", { type: "range", min: "1", step: "1" });
    this.widthBox = element("label", { class: "width small" }, (this.widthName = element("span")), this.width);
    this.undoButton = button(_("Undo"), UNDO, () => this.undo());
    this.clearButton = button(_("Clear"), CLEAR, () => this.act({ clear: true }));
    this.onlyButton = button(_("Only here"), INVERT, () => this.act({ invert: true }));
    this.onlyButton.title = _("Swap: what is marked may change, and nothing else");
    this.keys = element("p", { class: "soft small keys" });
    this.live = element("div", { class: "unseen", "aria-live": "polite" });
    this.root.replaceChildren(element("div", { class: "pad" }, this.canvas,
      element("div", { class: "tools" }, this.undoButton, this.clearButton, this.onlyButton), this.widthBox, this.keys, this.live));
    this.canvas.addEventListener("pointerdown", (event) => this.begin(event));
    this.canvas.addEventListener("pointermove", (event) => this.stroke && this.canvas.hasPointerCapture(event.pointerId) && this.go(...this.placeOf(event)));
    for (const name of ["pointerup", "pointercancel"]) this.canvas.addEventListener(name, () => this.lift());
    this.canvas.addEventListener("keydown", (event) => this.press(event));
    this.canvas.addEventListener("blur", () => { this.lift(); this.cursor = null; this.draw(); });
  }

  update(data) {
    const own = this.sent.has(data.stamp), fresh = !this.data || this.data.across !== data.across || this.data.down !== data.down;
    if (!this.data || this.data.most !== data.most) { this.width.max = data.most; this.width.value = data.usual; }
    const other = fresh || (data.id !== this.data.id && !own);
    this.data = data;
    this.marks = data.marks != null;
    const scale = this.marks ? Math.max(1, Math.floor(SIDE / Math.max(data.across, data.down))) : 1;
    if (fresh) {
      this.scale = scale;
      this.canvas.width = data.across * scale;
      this.canvas.height = data.down * scale;
      this.canvas.style.aspectRatio = `${data.across} / ${data.down}`;
    }
    this.canvas.setAttribute("aria-label", _("{label}. Arrow keys move the pen, Space puts it down or lifts it, Backspace undoes.", { label: data.label }));
    say(this.widthName, data.width_name);
    say(this.keys, data.hint);
    this.onlyButton.hidden = !this.marks;
    if (other) { this.done = []; this.stroke = null; clearTimeout(this.waiting); }
    if (other && this.marks) this.given = bytesOf(data.marks);
    if (this.shown !== data.picture && (this.marks || other)) this.load(data.picture);
    else this.draw();
  }

  load(address) {
    this.shown = address;
    this.picture = null;
    if (!address) { this.draw(); return; }
    const picture = new Image();
    picture.onload = () => { if (this.shown === address) { this.picture = picture; this.draw(); } };
    picture.src = address;
  }

  placeOf(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * this.data.across, ((event.clientY - box.top) / box.height) * this.data.down];
  }

  begin(event) {
    if (event.button > 0) return;
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    this.cursor = null;
    this.put(...this.placeOf(event));
  }

  put(x, y) {
    clearTimeout(this.waiting);
    this.stroke = { points: [[x, y]], width: Number(this.width.value) };
    this.done.push(this.stroke);
    this.draw();
  }

  go(x, y) {
    this.stroke.points.push([x, y]);
    this.draw();
  }

  lift() {
    if (!this.stroke) return;
    this.stroke = null;
    this.soon();
  }

  act(done) {
    this.lift();
    this.done.push(done);
    this.draw();
    this.soon();
  }

  undo() {
    this.stroke = null;
    if (this.done.length) this.done.pop();
    this.draw();
    this.soon();
  }

  press(event) {
    const step = (this.marks ? 1 : this.data.across / STEPS_ACROSS) * (event.shiftKey ? 5 : 1);
    const move = { ArrowRight: [step, 0], ArrowLeft: [-step, 0], ArrowDown: [0, step], ArrowUp: [0, -step] }[event.key];
    if (event.key === "Backspace" || (event.key === "z" && (event.ctrlKey || event.metaKey))) this.undo();
    else if (event.key === "Escape") this.lift();
    else if (move || event.key === " ") {
      const { across, down } = this.data, half = this.marks ? 0.5 : 0;
      const [x, y] = this.cursor || [Math.floor(across / 2) + half, Math.floor(down / 2) + half];
      if (move) this.cursor = [Math.max(half, Math.min(across - half, x + move[0])), Math.max(half, Math.min(down - half, y + move[1]))];
      else this.cursor = [x, y];
      if (event.key === " ") { if (this.stroke) this.lift(); else this.put(...this.cursor); }
      else if (this.stroke) this.go(...this.cursor);
      const there = { column: Math.round(this.cursor[0] + half), row: Math.round(this.cursor[1] + half) };
      say(this.live, this.stroke ? _("pen down, column {column}, row {row}", there) : _("pen up, column {column}, row {row}", there));
      this.draw();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  soon() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.tell(), PAUSE_TO_REPORT);
  }

  tell() {
    const stamp = Math.random().toString(36).slice(2, 12);
    this.sent.add(stamp);
    if (this.marks) this.report("marked", { bits: base64Of(packedBits(this.bits)), stamp });
    else {
      this.cursor = null;
      this.draw();
      this.report("drawn", { png: this.empty() ? "" : this.canvas.toDataURL("image/png").split(",")[1], stamp });
    }
  }

  empty() {
    const last = this.done.map((one) => Boolean(one.clear)).lastIndexOf(true);
    return last === this.done.length - 1 && (last >= 0 || !this.picture);
  }

  draw() {
    if (!this.data) return;
    this.undoButton.disabled = !this.done.length;
    if (this.marks) this.drawMarks(); else this.drawInk();
    this.drawCursor();
    this.root.dataset.done = this.done.length;
  }

  drawInk() {
    const pen = this.canvas.getContext("2d"), { width, height } = this.canvas;
    const blank = () => { pen.fillStyle = "#000"; pen.fillRect(0, 0, width, height); };
    blank();
    if (this.picture) {
      const share = Math.min(width / this.picture.width, height / this.picture.height), w = this.picture.width * share, h = this.picture.height * share;
      pen.drawImage(this.picture, (width - w) / 2, (height - h) / 2, w, h);
    }
    pen.lineCap = pen.lineJoin = "round";
    pen.strokeStyle = "#fff";
    for (const one of this.done) {
      if (one.clear) { blank(); continue; }
      pen.lineWidth = one.width;
      pen.beginPath();
      one.points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
      if (one.points.length === 1) pen.lineTo(one.points[0][0] + 0.01, one.points[0][1]);
      pen.stroke();
    }
  }

  /** The places that are marked, 0 or 1 each, after all that was done. */
  marked() {
    const { across, down } = this.data, bits = new Uint8Array(across * down);
    for (let i = 0; i < bits.length; i++) bits[i] = (this.given[i >> 3] >> (7 - (i & 7))) & 1;
    for (const one of this.done) {
      if (one.clear) bits.fill(0);
      else if (one.invert) for (let i = 0; i < bits.length; i++) bits[i] = 1 - bits[i];
      else one.points.forEach((to, i) => this.brush(bits, one.points[Math.max(0, i - 1)], to, one.width / 2));
    }
    return bits;
  }

  /** Mark what a round brush passes over on its way between two places: the cell below it, and those whose middle it covers. */
  brush(bits, from, to, radius) {
    const { across, down } = this.data, steps = Math.max(1, Math.ceil(4 * Math.hypot(to[0] - from[0], to[1] - from[1])));
    const mark = (column, row) => { if (column >= 0 && column < across && row >= 0 && row < down) bits[row * across + column] = 1; };
    for (let step = 0; step <= steps; step++) {
      const x = from[0] + ((to[0] - from[0]) * step) / steps, y = from[1] + ((to[1] - from[1]) * step) / steps;
      mark(Math.floor(x), Math.floor(y));
      for (let row = Math.floor(y - radius); row <= y + radius; row++)
        for (let column = Math.floor(x - radius); column <= x + radius; column++)
          if (Math.hypot(column + 0.5 - x, row + 0.5 - y) <= radius) mark(column, row);
    }
  }

  drawMarks() {
    const pen = this.canvas.getContext("2d"), { scale } = this, { across, down } = this.data;
    pen.imageSmoothingEnabled = false;
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (this.picture) pen.drawImage(this.picture, 0, 0, this.canvas.width, this.canvas.height);
    this.bits = this.marked();
    const count = this.bits.reduce((sum, bit) => sum + bit, 0);
    for (let i = 0; i < this.bits.length; i++) {
      if (!this.bits[i]) continue;
      const x = (i % across) * scale, y = Math.floor(i / across) * scale;
      pen.fillStyle = "rgb(230 159 0 / 0.62)";
      pen.fillRect(x, y, scale, scale);
      pen.strokeStyle = "rgb(0 0 0 / 0.8)";  // a stripe, for those who do not see the colour
      pen.lineWidth = Math.max(1, scale / 8);
      pen.beginPath();
      pen.moveTo(x, y + scale);
      pen.lineTo(x + scale, y);
      pen.stroke();
    }
    this.root.dataset.marked = count;
    say(this.keys, _("{hint} {n} of {total} marked.", { hint: this.data.hint, n: count, total: across * down }));
  }

  drawCursor() {
    if (!this.cursor) return;
    const pen = this.canvas.getContext("2d"), [x, y] = this.cursor.map((at) => at * this.scale), size = 8;
    for (const [colour, width] of [["#000", 4], ["#e69f00", 2]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.beginPath();
      pen.moveTo(x - size, y); pen.lineTo(x + size, y);
      pen.moveTo(x, y - size); pen.lineTo(x, y + size);
      pen.stroke();
    }
  }
}

/** Bits (0 or 1 each) as bytes, the first in the highest place. */
function packedBits(bits) {
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  bits.forEach((bit, i) => { bytes[i >> 3] |= bit << (7 - (i & 7)); });
  return bytes;
}
