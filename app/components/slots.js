// Several ladders over ε of one sample under one handle: every model at the same ε in the same frame. Only the
// released level is reported.

/** A ladder that leaves telling what has happened to the handle that all share. */
function quietly(ladder) {
  ladder.announce = () => {};
  return ladder;
}

class Slots {
  constructor(root, report) {
    this.root = root;
    this.report = report;
    this.level = 0;
    this.echoes = new Echoes();
    this.slots = [];
    this.build();
    this.resizes = new ResizeObserver(() => this.fit());
    this.resizes.observe(root);
  }

  destroy() {
    this.resizes.disconnect();
    cancelAnimationFrame(this.pending);
    clearTimeout(this.releasing);
    for (const slot of this.slots) slot.ladder.destroy();
    this.root.replaceChildren();
  }

  build() {
    this.value = element("span", { class: "value" });
    this.unit = element("span", { class: "unit soft" });
    this.said = element("span", { class: "said" });
    this.bands = element("canvas", { class: "slot-bands", "aria-hidden": "true" });
    this.thumb = element("span", { class: "thumb", "aria-hidden": "true" }, element("i"));
    this.track = element("div", { class: "slot-track", role: "slider", tabindex: "0", "aria-orientation": "horizontal", "aria-label": _("Size of the perturbation, epsilon, in every slot") }, this.bands, this.thumb);
    this.scale = element("div", { class: "scale soft small", "aria-hidden": "true" });
    this.rows = element("span", { text: _("A row each: which group wins at each ε, with noise of the same size below it.") });
    this.key = element("p", { class: "soft small slot-key" }, this.rows, " ", element("span", { text: _("Home: where the first one flips.") }));
    this.grid = element("div", { class: "slot-grid" });
    this.track.addEventListener("pointerdown", (event) => this.grab(event));
    this.track.addEventListener("pointermove", (event) => this.held && this.drag(event));
    for (const name of ["pointerup", "pointercancel"]) this.track.addEventListener(name, () => this.drop());
    this.track.addEventListener("keydown", (event) => this.press(event));
    this.files = new SlotsFiles(this);
    this.root.replaceChildren(element("div", { class: "slots ladder-handle" },
      element("div", { class: "slot-control" }, element("div", { class: "reading" }, this.value, this.unit, this.said), this.track, this.scale, this.key), this.grid, this.files.node));
  }

  update(data) {
    const same = this.data && data.id === this.data.id, moved = data.start !== this.start && !(same && (this.echoes.hears(data.start) || this.held));
    this.data = data;
    this.count = data.levels.length;
    this.theme = themeOf(this.root);
    if (!same || moved) { this.level = Math.min(data.start, this.count - 1); this.reported = null; }
    this.start = data.start;
    if (!same) this.lay();
    for (const [i, slot] of this.slots.entries()) slot.ladder.update({ ...data.slots[i].ladder, start: this.level });
    this.fit(true);
  }

  lay() {
    for (const slot of this.slots) slot.ladder.destroy();
    this.slots = this.data.slots.map((slot) => {
      const place = element("div", { class: "slot-ladder feint" });
      const head = element("div", { class: "slot-head" }, element("b", { class: "slot-letter", text: slot.letter }), element("span", { class: "slot-name", text: slot.name }), element("span", { class: "slot-star", text: slot.star }));
      return { ...slot, node: element("section", { class: "slot", "aria-label": `${slot.letter}: ${slot.name}` }, head, place), ladder: quietly(new Ladder(place, () => {})) };
    });
    this.grid.replaceChildren(...this.slots.map(({ node }) => node));
    this.grid.style.setProperty("--slots", this.slots.length);
    this.track.setAttribute("aria-valuemin", 0);
    this.track.setAttribute("aria-valuemax", this.count - 1);
    this.track.style.height = `${26 * this.slots.length + 10}px`;
    const last = this.count - 1, shown = [0, Math.round(last / 4), Math.round(last / 2), Math.round((3 * last) / 4), last];
    this.scale.replaceChildren(...shown.map((i) => {
      const tick = element("span", { text: this.data.levels[i].toFixed(this.data.levels[last] > 1 ? 2 : 3).replace(/\.?0+$/, "") || "0" });
      tick.style.left = `${100 * this.place(i)}%`;
      return tick;
    }));
  }

  /** Where a level lies on the track, 0 to 1. */
  place(i) {
    const { levels } = this.data, span = levels[this.count - 1] - levels[0];
    return span > 0 ? (levels[i] - levels[0]) / span : i / Math.max(1, this.count - 1);
  }

  fit(force = false) {
    if (!this.data) return;
    const box = this.track.getBoundingClientRect();
    if (fitCanvas(this.bands, box.width, box.height) || force) this.drawBands();
    this.draw();
  }

  drawBands() {
    const pen = this.bands.getContext("2d"), ratio = Math.min(window.devicePixelRatio || 1, 2), edge = 12 * ratio, inner = this.bands.width - 2 * edge;
    const x = (i) => edge + this.place(i) * inner;
    pen.clearRect(0, 0, this.bands.width, this.bands.height);
    this.slots.forEach(({ letter, ladder }, row) => {
      const top = (6 + 26 * row) * ratio, high = 14 * ratio, low = 5 * ratio;
      const band = (colour, from, height) => {
        for (let i = 0; i < this.count; i++) {
          const left = i ? (x(i - 1) + x(i)) / 2 : x(0), right = i < this.count - 1 ? (x(i) + x(i + 1)) / 2 : x(i);
          pen.fillStyle = colour(i);
          pen.fillRect(left, from, right - left + 0.5, height);
        }
      };
      band(this.colours(ladder, ladder.winner), top, high);
      if (ladder.noiseWinner) band(this.colours(ladder, ladder.noiseWinner), top + high + ratio, low);
      if (ladder.landmark != null) {
        pen.fillStyle = inked(this.theme.text);
        pen.fillRect(x(ladder.landmark) - ratio, top - 3 * ratio, 2 * ratio, high + low + 5 * ratio);
      }
      pen.font = `700 ${11 * ratio}px ${this.theme.font}`;
      pen.fillStyle = inked(this.theme.text);
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.fillText(letter, edge / 2, top + high / 2);
    });
  }

  /** The colour of a slot at each level: of the group that wins, else of whether its attack is there. */
  colours(ladder, winner) {
    const { background, text } = this.theme, reached = ladder.data.reached;
    return (i) => (winner ? ladder.colour(winner[i]) : reached && reached[i] ? "#d55e00" : inked(mixed(background, text, 0.35)));
  }

  /** Whether a slot's sample is where its attack wants it at the level that is shown. */
  there({ ladder }) {
    return Boolean(ladder.data.reached && ladder.data.reached[this.level]);
  }

  go(level) {
    const wanted = Math.max(0, Math.min(this.count - 1, level));
    if (wanted === this.level) return;
    this.level = wanted;
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => { this.pending = 0; this.draw(); });
  }

  draw() {
    const epsilon = this.data.levels[this.level], unit = this.data.norm === "linf" ? `${(epsilon * 255).toFixed(1)}/255` : "L2";
    for (const slot of this.slots) {
      slot.ladder.level = this.level;
      slot.ladder.draw();
      slot.node.classList.toggle("there", this.there(slot));
    }
    say(this.value, `ε ${epsilon.toFixed(3)}`);
    say(this.unit, unit);
    const flips = this.slots.filter((slot) => this.there(slot)).map(({ letter }) => letter), holds = this.slots.filter((slot) => !this.there(slot)).map(({ letter }) => letter);
    const words = [flips.length ? n_("{who} flips", "{who} flip", flips.length, { who: flips.join(", ") }) : "", holds.length ? n_("{who} holds", "{who} hold", holds.length, { who: holds.join(", ") }) : ""].filter(Boolean).join(" · ");
    say(this.said, words);
    this.thumb.style.transform = `translateX(${12 + this.place(this.level) * (this.track.clientWidth - 24)}px)`;
    this.track.setAttribute("aria-valuenow", this.level);
    this.track.setAttribute("aria-valuetext", `epsilon ${epsilon.toFixed(3)}, ${unit}: ${words}`);
    this.root.dataset.level = this.level;
  }

  grab(event) {
    if (event.button > 0) return;
    this.held = true;
    this.track.setPointerCapture(event.pointerId);
    this.track.focus({ preventScroll: true });
    this.drag(event);
  }

  drag(event) {
    const box = this.track.getBoundingClientRect(), share = (event.clientX - box.left - 12) / (box.width - 24);
    let nearest = 0;
    for (let i = 1; i < this.count; i++) if (Math.abs(this.place(i) - share) < Math.abs(this.place(nearest) - share)) nearest = i;
    this.go(nearest);
  }

  drop() {
    if (!this.held) return;
    this.held = false;
    this.released();
  }

  press(event) {
    const far = event.shiftKey ? 5 : 1, marks = this.slots.map(({ ladder }) => ladder.landmark).filter((mark) => mark != null);
    const target = { ArrowRight: this.level + far, ArrowUp: this.level + far, ArrowLeft: this.level - far, ArrowDown: this.level - far,
      PageUp: this.level + 5, PageDown: this.level - 5, Home: marks.length ? Math.min(...marks) : 0, End: this.count - 1 }[event.key];
    if (target == null) return;
    this.go(target);
    clearTimeout(this.releasing);
    this.releasing = setTimeout(() => this.released(), 350);
    event.preventDefault();
    event.stopPropagation();
  }

  released() {
    const now = `${this.data.id}:${this.level}`;
    if (this.reported === now) return;
    this.reported = now;
    this.echoes.add(this.level);
    this.report("level", this.level);
  }
}
