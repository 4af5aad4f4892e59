// One sample dragged along a ladder. Everything is redrawn from the payload while the hand moves; only the released level is reported.

const PLAY = "M6 4l10 6-10 6z", PAUSE = "M5 4h3.5v12H5zM11.5 4H15v12h-3.5z";
const SWEEP_SECONDS = 4.2, REST_SECONDS = 0.9;
const UNDER_WAY = 0.15;  // share of the axis where a ladder that plays by itself begins: before it the eased sweep hardly moves

class Ladder {
  constructor(root, report) {
    this.root = root;
    this.report = report;
    this.level = 0;
    this.playing = false;
    this.id = null;
    this.echoes = new Echoes();
    this.build();
    this.resizes = new ResizeObserver(() => this.fit());
    this.resizes.observe(root);
  }

  destroy() {
    this.stop();
    this.resizes.disconnect();
    cancelAnimationFrame(this.pending);
    clearTimeout(this.saying);
    clearTimeout(this.releasing);
    this.root.replaceChildren();
  }

  build() {
    const canvas = (name) => element("canvas", { class: `pixels ${name}`, role: "img" });
    const picture = (name, title) => {
      this[name] = canvas(name);
      this[`${name}Note`] = element("span", { class: "soft small" });
      this[`${name}Name`] = element("b", { text: title });
      return element("figure", { class: `picture ${name}-figure` }, this[name], element("figcaption", {}, this[`${name}Name`], this[`${name}Note`]));
    };
    const sign = (text) => element("span", { class: "sign", "aria-hidden": "true", text });

    this.title = element("span", { class: "title" });
    this.badge = element("span", { class: "badge" });
    this.now = element("p", { class: "now" });
    this.value = element("span", { class: "value" });
    this.unit = element("span", { class: "unit soft" });
    this.playButton = element("button", { type: "button", class: "play", "aria-label": _("Play"), title: _("Play (Space)"), onclick: () => this.toggle() });

    this.curve = element("canvas", { class: "curve", "aria-hidden": "true" });
    this.mark = element("button", { type: "button", class: "mark", tabindex: "-1", onclick: () => { this.stop(); this.go(this.landmark); this.released(); } });
    this.thumb = element("span", { class: "thumb", "aria-hidden": "true" }, element("i"));
    this.track = element("div", { class: "track", role: "slider", tabindex: "0", "aria-orientation": "horizontal" }, this.curve, this.thumb);
    this.scale = element("div", { class: "scale soft small", "aria-hidden": "true" });
    this.key = element("div", { class: "key soft small" });
    this.track.addEventListener("pointerdown", (event) => this.grab(event));
    this.track.addEventListener("pointermove", (event) => this.held && this.drag(event));
    for (const name of ["pointerup", "pointercancel"]) this.track.addEventListener(name, () => this.drop());
    this.track.addEventListener("keydown", (event) => this.press(event));

    this.bars = element("div", { class: "rows", role: "group", tabindex: "0" });
    this.barsBox = element("section", { class: "bars" }, element("h3", {}, (this.barsName = element("span")), " ", element("span", { class: "legend" }, element("i", { class: "bar" }), ` ${_("now")} `, element("i", { class: "tick" }), ` ${_("clean")}`),
      (this.barsScale = element("span", { class: "legend" }))), this.bars);
    this.reconBox = element("section", { class: "recon" }, element("h3", { text: _("Reconstruction") }),
      element("div", { class: "pair" }, picture("reconClean", _("clean")), picture("recon", _("now"))));
    this.map = element("canvas", { class: "map", role: "img" });
    this.mapTitle = element("h3");
    this.near = new Near();
    this.traces = new Traces();
    this.features = new Features();
    this.mapNote = element("p", { class: "soft small" });
    this.mapBox = element("section", { class: "mapbox" }, this.mapTitle, this.map, this.mapNote, this.near.node);
    this.protocol = element("p", { class: "protocol soft small" });
    this.files = new LadderFiles(this);
    this.live = element("div", { class: "unseen", "aria-live": "polite" });

    this.group = element("div", { class: "ladder", role: "group" },
      element("header", {}, element("div", { class: "headline" }, this.title, this.badge), this.now),
      (this.hero = element("section", { class: "hero" },
        picture("clean", _("clean")), sign("+"), picture("delta", _("perturbation")), sign("="), picture("attacked", _("adversarial")))),
      this.features.node,
      element("section", { class: "control" },
        element("div", { class: "reading" }, this.playButton, element("div", { class: "number" }, this.value, this.unit)),
        element("div", { class: "rail" }, this.mark, this.track, this.scale, this.key), this.files.node),
      this.traces.node, this.barsBox, this.mapBox, this.reconBox, this.protocol, this.live);
    this.root.replaceChildren(this.group);
    this.showPlaying();
  }

  update(data) {
    const same = data.id === this.id;
    const moved = data.start !== this.start && !(same && (this.echoes.hears(data.start) || this.held));
    if (!same) this.decode(data);
    this.data = data;
    this.theme = themeOf(this.root);
    this.scaleColours = divergingPixels(this.theme);
    const plays = !same && data.autoplay && !quietMotion.matches;
    if (!same || moved) this.level = plays ? 0 : Math.min(data.start, this.count - 1);
    if (moved) this.reported = null;
    this.start = data.start;
    if (!same) this.lay();
    if (plays) this.level = this.nearestTo(UNDER_WAY);
    this.fit(true);
    if (!same) this.stop();
    if (plays) this.play();
  }

  decode(data) {
    this.id = data.id;
    this.count = data.levels.length;
    this.groups = data.group_names.length;
    this.own = data.own_group;
    this.cleanBytes = bytesOf(data.clean);
    this.deltaBytes = arrayOf(data.delta, Int8Array);
    this.reconBytes = arrayOf(data.recon, Uint8Array);
    this.fixed = arrayOf(data.fixed, Uint8Array);
    this.reconCleanBytes = arrayOf(data.recon_clean, Uint8Array);
    this.q = arrayOf(data.q, Float32Array) || null;
    this.noiseQ = arrayOf(data.noise_q, Float32Array) || null;
    this.xy = arrayOf(data.xy, Float32Array);
    this.mapXY = arrayOf(data.map_xy, Uint16Array);
    this.mapGroup = arrayOf(data.map_group, Uint8Array);
    this.winner = this.q && this.winners(this.q);
    this.noiseWinner = this.noiseQ && this.winners(this.noiseQ);
    this.landmark = this.landmarkOf(data);
    const own = (_, i) => i % this.groups === this.own;
    const above = (largest) => [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8].find((share) => share >= largest) || 1;
    this.reach = this.q ? above(Math.max(...this.q, ...data.q_clean)) : 1;
    // behind the handle: the confidence in the sample's own group, else the value of the objective
    this.line = this.q ? this.q.filter(own) : Float32Array.from(data.value);
    this.noiseLine = this.q ? this.noiseQ && this.noiseQ.filter(own) : data.noise_value && Float32Array.from(data.noise_value);
    const highest = Math.max(...this.line, ...(this.noiseLine || []));
    this.lineLow = this.q ? 0 : Math.min(0, ...this.line, ...(this.noiseLine || []));
    this.lineHigh = this.q ? above(highest) : highest > this.lineLow ? highest : this.lineLow + 1;
    this.frames = 0;
    this.slowest = 0;
  }

  /** The level that matters: the first that reached the objective, over λ the last one (a larger weight gives the attack up); null where none did. */
  landmarkOf(data) {
    if (data.axis !== "lambda" || !data.reached) return data.first_reached;
    for (let i = this.count - 1; i >= 0; i--) if (data.reached[i]) return i;
    return null;
  }

  winners(q) {
    return Uint8Array.from({ length: this.count }, (_, i) => {
      let best = 0;
      for (let k = 1; k < this.groups; k++) if (q[i * this.groups + k] > q[i * this.groups + best]) best = k;
      return best;
    });
  }

  /** What stays the same along one ladder: titles, rows, sizes. */
  lay() {
    const { data } = this, [channels, height, width] = data.shape;
    this.group.setAttribute("aria-label", data.title);
    say(this.title, data.title);
    say(this.protocol, data.protocol);
    this.group.classList.toggle("tall", height > 1.4 * width);
    for (const canvas of [this.clean, this.delta, this.attacked, this.recon, this.reconClean]) {
      canvas.width = width;
      canvas.height = height;
      canvas.style.aspectRatio = height === 1 ? "3 / 1" : `${width} / ${height}`;  // a vector is drawn as a strip
    }
    this.images = Object.fromEntries(["clean", "delta", "attacked", "recon", "reconClean"].map((name) => {
      const image = new ImageData(width, height);
      return [name, { image, pixels: new Uint32Array(image.data.buffer) }];
    }));
    this.plane = width * height;
    this.channels = channels;
    const reach = (1 / data.gain).toFixed(3), label = data.label_name;
    this.deltaNote.title = channels === 3 ? _("Full colour at ±{reach}; grey is no change", { reach }) : _("Full colour at ±{reach}; the page's own colour is no change", { reach });
    this.clean.setAttribute("aria-label", label ? _("Clean sample, labelled {label}", { label }) : _("Clean sample"));
    say(this.cleanNote, label ? _("label “{label}”", { label }) : "");
    this.hero.hidden = Boolean(data.features);  // a row of a table is no picture: its features are drawn as bars
    this.features.lay(data.features, this.deltaBytes, data.delta_scale, data.gain, this.landmark ?? this.count - 1);
    this.reconBox.hidden = !this.reconBytes || Boolean(data.features);
    const names = data.axis === "nu" ? [_("decoded, clean"), _("difference"), _("decoded, moved")] : [_("clean"), _("perturbation"), _("adversarial")];
    ["clean", "delta", "attacked"].forEach((name, i) => say(this[`${name}Name`], names[i]));
    say(this.mapTitle, data.map_name || _("Place in the embedding"));
    this.mapBox.hidden = !this.xy;
    this.barsBox.hidden = !this.q;
    this.group.classList.toggle("ungrouped", !this.q);  // what stands beside the pictures then
    this.group.classList.toggle("alone", this.reconBox.hidden);
    this.group.classList.toggle("untraced", !data.traces.length);
    if (this.q) this.layBars();
    this.near.lay(data.near, this.plane * this.channels, (bytes) => this.thumbnail(bytes));
    this.layTrack();
  }

  /** What is said of a model that sorts into clusters, or into classes. */
  sorts(ofClusters, ofClasses) {
    return this.data.grouping === "class" ? ofClasses : ofClusters;
  }

  layBars() {
    say(this.barsName, this.sorts(_("Clusters"), _("Classes")));
    this.bars.setAttribute("aria-label", this.barsName.textContent);
    const at = (this.landmark ?? this.count - 1) * this.groups;  // where it matters: rows stay in place while the hand moves
    const change = (k) => Math.abs(this.q[at + k] - this.data.q_clean[k]);
    const seen = (k) => Math.round(100 * change(k)), most = (k) => Math.max(this.q[at + k], this.data.q_clean[k]);
    const order = Array.from({ length: this.groups }, (_, k) => k).sort((a, b) => seen(b) - seen(a) || most(b) - most(a) || a - b);
    const medoids = this.data.medoids && !this.data.features && bytesOf(this.data.medoids), size = this.plane * this.channels;
    this.rows = order.map((k) => {
      const fill = element("i", { class: "fill" }), before = element("i", { class: "before" });
      const number = element("span", { class: "share" }), moved = element("span", { class: "moved soft small" });
      const thumb = medoids ? this.thumbnail(medoids.subarray(k * size, (k + 1) * size)) : element("span", { class: "dot" });
      const row = element("div", { class: "row" + (k === this.own ? " own" : ""), title: k === this.own ? this.sorts(_("the clean sample's cluster"), _("the clean sample's class")) : null },
        thumb, element("span", { class: "name", text: this.data.group_names[k] }), element("span", { class: "lane" }, fill, before), number, moved);
      before.style.left = `${(100 * this.data.q_clean[k]) / this.reach}%`;
      return { k, row, fill, number, moved };
    });
    this.bars.replaceChildren(...this.rows.map(({ row }) => row));
    this.barsBox.classList.toggle("many", this.groups > 12);
    const sorted = this.landmark == null ? _("by change at the end") : _("by change at the mark");
    say(this.barsScale, [this.reach < 1 && _("full width: {share}", { share: percent(this.reach) }), sorted].filter(Boolean).join(" · "));
  }

  thumbnail(bytes) {
    const [, height, width] = this.data.shape;
    const canvas = element("canvas", { class: "pixels medoid", width, height, "aria-hidden": "true" });
    const image = new ImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    this.paint(pixels, (j) => bytes[j]);
    this.clearGaps(pixels);
    canvas.getContext("2d").putImageData(image, 0, 0);
    return canvas;
  }

  layTrack() {
    const { data } = this, last = this.count - 1;
    this.positions = this.placed(data.levels);
    this.traces.lay(data.traces, this.positions);
    this.track.setAttribute("aria-label", { compressed: _("Number K of compressed samples"), epsilon: _("Size of the perturbation, epsilon"), path: _("Step of the attack"), lambda: _("Weight lambda"), nu: _("Weight nu of the disagreement") }[data.axis]);
    this.track.setAttribute("aria-valuemin", 0);
    this.track.setAttribute("aria-valuemax", last);
    const shown = [0, Math.round(last / 4), Math.round(last / 2), Math.round((3 * last) / 4), last].filter((i, at, all) => all.indexOf(i) === at);
    this.scale.replaceChildren(...shown.map((i) => {
      const tick = element("span", { text: this.short(data.levels[i]) });
      tick.style.left = `${100 * this.positions[i]}%`;
      return tick;
    }));
    const star = this.starPosition();
    this.mark.hidden = star == null;
    if (star != null) {
      say(this.mark, this.starText());
      this.mark.title = data.axis === "epsilon" ? _("Go there (Home). An upper bound: a stronger attack may need less.") : _("Go there (Home).");
      this.mark.style.setProperty("--at", star.toFixed(5));
      this.mark.classList.toggle("early", star < 0.1);
      this.mark.classList.toggle("late", star > 0.9);
    }
    const sign = (name, text, title) => element("span", { title }, element("i", { class: name }), text);
    const solid = this.q
      ? [_("confidence in {group}, 0 to {high}", { group: this.quoted(this.own), high: percent(this.lineHigh) }),
        this.sorts(_("How sure the model is of the clean sample's cluster, along the ladder"), _("How sure the model is of the clean sample's class, along the ladder"))]
      : [_("value of the objective, {low} to {high}", { low: this.rounded(this.lineLow), high: this.rounded(this.lineHigh) }), _("What the attack makes large, along the ladder")];
    const winning = this.sorts(_("winning cluster"), _("winning class"));
    this.key.replaceChildren(
      sign("solid", ...solid),
      ...(this.noiseLine ? [sign("dashed", _("with noise of the same size"), _("The control: random noise of the same size"))] : []),
      ...(this.q ? [sign("band", this.noiseQ ? _("{winning}: attack above, noise below", { winning }) : winning, this.sorts(_("Which cluster wins at each level"), _("Which class wins at each level")))] : []));
  }

  /** Where values lie on the track, 0 to 1: by value where they rise, evenly otherwise. */
  placed(levels) {
    const low = levels[0], span = levels[levels.length - 1] - low;
    const rising = this.data.axis !== "compressed" && span > 0 && levels.every((value, i) => i === 0 || value > levels[i - 1]);
    return levels.map((value, i) => (rising ? (value - low) / span : i / Math.max(1, levels.length - 1)));
  }

  starPosition() {
    const { data } = this;
    if (this.landmark == null) return null;
    const span = data.levels[this.count - 1] - data.levels[0];
    if (data.axis !== "epsilon" || data.epsilon_star == null || span <= 0) return this.positions[this.landmark];
    return Math.min(1, Math.max(0, (data.epsilon_star - data.levels[0]) / span));
  }

  starText() {
    const { data } = this, level = data.levels[this.landmark];
    const verb = data.target != null ? _("arrives") : this.q ? _("flips") : _("reached"), at = { verb, level: this.short(level) };
    if (data.axis === "path") return _("{verb} at step {level}", { verb, level });
    if (data.axis === "compressed") return _("{verb} at K {level}", { verb, level });
    if (data.axis === "nu") return _("{verb} at ν {level}", at);
    if (data.axis === "lambda") return data.reached.every(Boolean) ? _("{verb} at every λ here", at) : _("last {verb} at λ {level}", at);
    return `ε* ≤ ${this.short(Math.ceil((data.epsilon_star ?? level) * 1000 - 1e-4) / 1000)}`; // a bound rounded down would be none
  }

  fit(force = false) {
    if (!this.data) return;
    const track = this.track.getBoundingClientRect(), map = this.map.getBoundingClientRect();
    const resized = fitCanvas(this.curve, track.width, track.height);
    const remapped = !this.mapBox.hidden && fitCanvas(this.map, map.width, map.height);
    if (force || resized) this.drawCurve();
    if (!this.mapBox.hidden && (force || remapped)) this.drawBackground();
    if (force || resized || remapped) this.draw();
  }

  /** Confidence in the own group behind the slider with the bands of winning groups; without groups, the value of the objective. */
  drawCurve() {
    const { curve, theme } = this, pen = curve.getContext("2d"), ratio = Math.min(window.devicePixelRatio || 1, 2);
    const bands = this.q ? (this.noiseQ ? 2 : 1) : 0, band = 7 * ratio, gap = 3 * ratio, edge = this.inset() * ratio;
    const floor = curve.height - bands * (band + gap) - gap, roof = 6 * ratio, inner = curve.width - 2 * edge;
    const x = (i) => edge + this.positions[i] * inner;
    const line = (values) => {
      pen.beginPath();
      for (let i = 0; i < this.count; i++) pen.lineTo(x(i), floor - ((floor - roof) * (values[i] - this.lineLow)) / (this.lineHigh - this.lineLow));
    };
    pen.clearRect(0, 0, curve.width, curve.height);
    const colour = this.colour(this.own ?? 0);
    line(this.line);
    pen.strokeStyle = colour;
    pen.lineWidth = 2 * ratio;
    pen.lineJoin = "round";
    pen.stroke();
    pen.lineTo(x(this.count - 1), floor);
    pen.lineTo(x(0), floor);
    pen.globalAlpha = theme.dark ? 0.22 : 0.14;
    pen.fillStyle = colour;
    pen.fill();
    pen.globalAlpha = 1;
    if (this.noiseLine) {
      line(this.noiseLine);
      pen.setLineDash([4 * ratio, 4 * ratio]);
      pen.strokeStyle = inked(theme.text, 0.55);
      pen.lineWidth = 1.5 * ratio;
      pen.stroke();
      pen.setLineDash([]);
    }
    if (this.q) this.drawBand(pen, this.winner, x, floor + gap, band, ratio);
    if (this.noiseQ) this.drawBand(pen, this.noiseWinner, x, floor + 2 * gap + band, band, ratio);
    const star = this.starPosition();
    if (star != null) {
      pen.fillStyle = inked(theme.text, 0.75);
      pen.fillRect(edge + star * inner - 0.75 * ratio, 0, 1.5 * ratio, curve.height);
    }
  }

  drawBand(pen, winner, x, top, height, ratio) {
    for (let from = 0, i = 0; i < this.count; i++) {
      if (i < this.count - 1 && winner[i + 1] === winner[from]) continue;
      const left = from ? (x(from - 1) + x(from)) / 2 : x(0) - 3 * ratio, right = i < this.count - 1 ? (x(i) + x(i + 1)) / 2 : x(i) + 3 * ratio;
      pen.fillStyle = this.colour(winner[from]);
      pen.fillRect(left, top, right - left, height);
      from = i + 1;
    }
  }

  inset() {
    return 12;
  }

  /** The colour of a group, which is that of its class on every page. */
  colour(k) {
    return this.theme.category(this.data.colours[k] ?? k);
  }

  /** The map's points, drawn once; each frame copies them and adds the trail. */
  drawBackground() {
    const { map, theme } = this;
    this.background = document.createElement("canvas");
    this.background.width = map.width;
    this.background.height = map.height;
    const pen = this.background.getContext("2d"), ratio = Math.min(window.devicePixelRatio || 1, 2);
    const [left, top, right, bottom] = this.data.map_box, pad = 12 * ratio;
    const wide = (map.width - 2 * pad) / (right - left), high = (map.height - 2 * pad) / (bottom - top), most = 1.5 * Math.min(wide, high);
    const across = Math.min(wide, most), up = Math.min(high, most), middle = [(left + right) / 2, (top + bottom) / 2];
    this.onMap = (x, y) => [map.width / 2 + (x - middle[0]) * across, map.height / 2 - (y - middle[1]) * up];
    if (!this.mapXY) return;
    pen.globalAlpha = theme.dark ? 0.5 : 0.4;
    const size = 2.2 * ratio, points = this.mapXY.length / 2;
    for (let k = 0; k < Math.max(1, this.groups); k++) {
      pen.fillStyle = this.groups ? this.colour(k) : inked(theme.text, 0.5);
      for (let i = 0; i < points; i++) {
        if (this.mapGroup[i] !== k) continue;
        const [x, y] = this.onMap(left + (this.mapXY[2 * i] / 65535) * (right - left), top + (this.mapXY[2 * i + 1] / 65535) * (bottom - top));
        pen.fillRect(x - size / 2, y - size / 2, size, size);
      }
    }
  }

  /** Fill pixels from a function of the flat index, 0 to 255, for one or three channels. */
  paint(pixels, value) {
    const plane = this.plane;
    if (this.channels === 3) for (let j = 0; j < plane; j++) pixels[j] = pixelOf([value(j), value(j + plane), value(j + 2 * plane)]);
    else for (let j = 0; j < plane; j++) {
      const grey = value(j);
      pixels[j] = ((255 << 24) | (grey << 16) | (grey << 8) | grey) >>> 0;
    }
  }

  /** Several views of a sample stand below one another, with empty rows between. */
  clearGaps(pixels) {
    const { gaps, shape: [, , width] } = this.data;
    for (const row of gaps) pixels.fill(0, row * width, (row + 1) * width);
  }

  /** What may not change is striped where its change would be. */
  stripe(pixels) {
    const width = this.data.shape[2], dark = pixelOf(mixed(this.theme.background, this.theme.text, 0.55)), light = pixelOf(mixed(this.theme.background, this.theme.text, 0.3));
    for (let j = 0; j < this.plane; j++) if (this.fixed[j]) pixels[j] = ((j % width) + Math.floor(j / width)) % 2 ? dark : light;
  }

  put(name) {
    this.clearGaps(this.images[name].pixels);
    this[name].getContext("2d").putImageData(this.images[name].image, 0, 0);
  }

  draw() {
    const began = performance.now();
    this.drawImages();
    if (this.q) this.drawBars();
    if (!this.mapBox.hidden) this.drawTrail();
    this.near.draw(this.level);
    this.traces.draw(this.level, this.theme);
    this.features.draw(this.level);
    this.drawReading();
    const took = performance.now() - began;
    this.frames += 1;
    this.slowest = Math.max(this.slowest, took);
    this.root.dataset.level = this.level;
    this.root.dataset.frames = this.frames;
    this.root.dataset.frameMs = took.toFixed(2);
    this.root.dataset.slowestMs = this.slowest.toFixed(2);
  }

  drawImages() {
    const { data, level, images, scaleColours } = this, size = this.plane * this.channels, at = level * size;
    const { cleanBytes, deltaBytes } = this, step = data.delta_scale[level];
    const clamp = (value) => (value < 0 ? 0 : value > 255 ? 255 : Math.round(value));
    this.paint(images.clean.pixels, (j) => cleanBytes[j]);
    this.paint(images.attacked.pixels, (j) => clamp(cleanBytes[j] + 255 * step * deltaBytes[at + j]));
    const strength = 255 * data.gain * step;
    if (this.channels === 3) this.paint(images.delta.pixels, (j) => clamp(127.5 + (strength * deltaBytes[at + j]) / 2));
    else for (let j = 0; j < size; j++) images.delta.pixels[j] = scaleColours[255 + Math.max(-255, Math.min(255, Math.round(strength * deltaBytes[at + j])))];
    if (this.fixed) this.stripe(images.delta.pixels);
    for (const name of ["clean", "delta", "attacked"]) this.put(name);
    this.label();
    if (this.reconBytes) {
      const { reconBytes, reconCleanBytes } = this;
      this.paint(images.reconClean.pixels, (j) => reconCleanBytes[j]);
      this.paint(images.recon.pixels, (j) => reconBytes[at + j]);
      this.put("recon");
      this.put("reconClean");
    }
  }

  /** What each picture is, for those who do not see it. */
  label() {
    const here = this.spoken(this.data.levels[this.level]);
    this.attacked.setAttribute("aria-label", _("Adversarial sample at {here}: {is}", { here, is: this.outcome().is }));
    this.delta.setAttribute("aria-label", _("Perturbation at {here}, shown {gain} times stronger", { here, gain: Math.round(this.data.gain) }));
    this.recon.setAttribute("aria-label", _("Reconstruction of it at {here}", { here }));
    this.reconClean.setAttribute("aria-label", _("Reconstruction of the clean sample"));
  }

  drawBars() {
    const now = this.winner[this.level], at = this.level * this.groups;
    for (const { k, row, fill, number, moved } of this.rows) {
      const share = this.q[at + k], change = share - this.data.q_clean[k];
      fill.style.transform = `scaleX(${(share / this.reach).toFixed(4)})`;
      fill.style.background = this.colour(k);
      row.classList.toggle("winner", k === now);
      say(number, percent(share));
      say(moved, Math.abs(change) < 0.005 ? "" : `${change > 0 ? "+" : "−"}${Math.round(100 * Math.abs(change))}`);
    }
  }

  drawTrail() {
    const { map, theme, xy, level, data } = this, pen = map.getContext("2d"), ratio = Math.min(window.devicePixelRatio || 1, 2);
    pen.clearRect(0, 0, map.width, map.height);
    pen.drawImage(this.background, 0, 0);
    const from = data.xy_clean, to = [xy[2 * level], xy[2 * level + 1]];
    const length = Math.hypot(to[0] - from[0], to[1] - from[1]), sure = length >= data.xy_error;
    const ink = inked(theme.text), halo = inked(theme.background, 0.85), grey = theme.dark ? "#8d97a3" : "#8a8f98";
    pen.beginPath();
    pen.moveTo(...this.onMap(...from));
    if (["lambda", "compressed"].includes(data.axis)) pen.lineTo(...this.onMap(...to));
    else for (let i = 0; i <= level; i++) pen.lineTo(...this.onMap(xy[2 * i], xy[2 * i + 1]));
    pen.lineJoin = pen.lineCap = "round";
    for (const [colour, wide] of [[halo, 5], [sure ? ink : grey, 2]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = wide * ratio;
      pen.stroke();
    }
    const dot = ([x, y], size, colour, hollow) => {
      pen.beginPath();
      pen.arc(x, y, size * ratio, 0, 7);
      pen.fillStyle = hollow ? halo : colour;
      pen.fill();
      pen.lineWidth = 2 * ratio;
      pen.strokeStyle = hollow ? colour : ink;
      pen.stroke();
    };
    (data.map_marks || []).forEach(([group, x, y], place) => {  // centroids: the own one solid, the other one dashed
      const [across, up] = this.onMap(x, y), half = 6.5 * ratio;
      pen.setLineDash(place ? [3 * ratio, 2 * ratio] : []);
      pen.fillStyle = this.colour(group);
      pen.fillRect(across - half, up - half, 2 * half, 2 * half);
      pen.lineWidth = 2 * ratio;
      pen.strokeStyle = ink;
      pen.strokeRect(across - half, up - half, 2 * half, 2 * half);
      pen.setLineDash([]);
    });
    const said = { map: data.map_name || _("Place in the embedding"), length: length.toPrecision(2) };
    map.setAttribute("aria-label", sure ? _("{map}: {length} away from the clean sample", said) : _("{map}: no move that says anything", said));
    dot(this.onMap(...from), 4, sure ? ink : grey, true);
    dot(this.onMap(...to), 5.5, sure ? this.colour(this.winner ? this.winner[level] : 0) : grey, false);
    const drawn = (data.map_marks || []).length ? _("ring: clean · dot: now · squares: own centroid, and (dashed) its neighbour") : _("ring: clean · dot: now");
    say(this.mapNote, sure || level === 0 ? drawn : _("grey: shorter than the map's own error ({error})", { error: data.xy_error.toPrecision(2) }));
  }

  drawReading() {
    const { data, level } = this;
    say(this.value, this.exact(data.levels[level]));
    say(this.unit, this.exactUnit(data.levels[level]));
    const place = this.inset() + this.positions[level] * (this.track.clientWidth - 2 * this.inset());
    this.thumb.style.transform = `translateX(${place}px)`;
    this.thumb.style.setProperty("--ink", this.colour(this.winner ? this.winner[level] : 0));
    const { badge, there, now, is } = this.outcome();
    this.badge.hidden = !badge;
    this.badge.className = `badge ${there ? "flipped" : "held"}`;
    say(this.badge, badge);
    say(this.now, this.noiseLine ? _("{now} · noise of the same size {noise}", { now, noise: this.noiseText() }) : now);
    const size = data.ratio ? ` · ‖δ‖/‖z‖\u00a0${data.ratio[level].toFixed(2)}` : "";
    say(this.deltaNote, `×${data.gain < 10 ? data.gain.toPrecision(2) : Math.round(data.gain)} · L∞\u00a0${data.linf[level].toFixed(3)} · L2\u00a0${data.l2[level].toFixed(2)}${size}`);
    say(this.attackedNote, is);
    this.track.setAttribute("aria-valuenow", level);
    this.track.setAttribute("aria-valuetext", `${this.spoken(data.levels[level])}, ${badge ? `${badge}, ` : ""}${is}`);
    clearTimeout(this.saying);
    if (!this.playing) this.saying = setTimeout(() => this.announce(), 500);
  }

  /** What this level came to, in words: a badge, a line, what the adversarial image is. */
  outcome() {
    const { data, level, own } = this;
    if (!this.q) {
      const value = this.rounded(data.value[level]), there = Boolean(data.reached && data.reached[level]);
      const badge = data.reached ? (there ? _("reached") : _("not reached")) : "";
      return { badge, there, is: value, now: (data.effect || _("value …")).replace("…", value) };
    }
    const winner = this.winner[level], there = winner !== own;
    const is = `${this.quoted(winner)} ${percent(this.q[level * this.groups + winner])}`;
    const badge = there ? _("now in {group}", { group: this.quoted(winner) }) : _("stays in {group}", { group: this.quoted(own) });
    return { badge, there, is, now: _("{is} · clean {group} {share}", { is, group: this.quoted(own), share: percent(data.q_clean[own]) }) };
  }

  announce() {
    const { data, level } = this, { now } = this.outcome();
    const at = this.spoken(data.levels[level]);
    say(this.live, this.noiseLine ? _("At {at}: {now}. Noise of the same size: {noise}.", { at, now, noise: this.noiseText() }) : _("At {at}: {now}.", { at, now }));
  }

  noiseText() {
    if (!this.q) return this.rounded(this.noiseLine[this.level]);
    const winner = this.noiseWinner[this.level], share = this.noiseQ[this.level * this.groups + winner];
    return `${this.quoted(winner)} ${percent(share)}`;
  }

  quoted(k) {
    return _("“{group}”", { group: this.data.group_names[k] });
  }

  /** A value of the objective with three digits. */
  rounded(value) {
    return value === 0 ? "0" : minus(Math.abs(value) >= 1000 || Math.abs(value) < 0.001 ? value.toExponential(1) : `${Number(value.toPrecision(3))}`);
  }

  short(value) {
    if (["path", "compressed"].includes(this.data.axis)) return `${Math.round(value)}`;
    if (this.data.axis === "nu") return value === 0 ? "0" : `${Number(value.toPrecision(3))}`;
    return value === 0 ? "0" : value >= 10 ? value.toFixed(0) : value >= 1 ? value.toFixed(2) : value.toFixed(3);
  }

  exact(value) {
    if (this.data.axis === "path") return _("step {step}", { step: Math.round(value) });
    if (this.data.axis === "compressed") return `K ${Math.round(value)}`;
    if (this.data.axis === "lambda") return `λ ${value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2)}`;
    if (this.data.axis === "nu") return `ν ${value.toFixed(4)}`;
    return `ε ${value.toFixed(value >= 1 ? 2 : 3)}`;
  }

  exactUnit(value) {
    const { axis, norm, levels } = this.data;
    if (axis === "path") return _("of {last}", { last: Math.round(levels[this.count - 1]) });
    if (axis === "compressed") return _("compressed samples");
    if (axis === "lambda") return _("weight on the reconstruction");
    if (axis === "nu") return _("weight of the disagreement");
    if (this.data.features && norm === "linf") return _("of each feature's range");
    return norm === "linf" ? `${(value * 255).toFixed(1)}/255` : { l2: "L2", l0: "L0" }[norm] || norm;
  }

  spoken(value) {
    return `${this.exact(value)} ${this.exactUnit(value)}`.replace("ε", "epsilon").replace("λ", "lambda").replace("ν", "nu");
  }

  go(level) {
    const wanted = Math.max(0, Math.min(this.count - 1, level));
    if (wanted === this.level) return;
    this.level = wanted;
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => { this.pending = 0; this.draw(); });
  }

  grab(event) {
    if (event.button > 0) return;
    this.stop();
    this.held = true;
    this.track.setPointerCapture(event.pointerId);
    this.track.classList.add("held");
    this.track.focus({ preventScroll: true });
    this.drag(event);
  }

  drag(event) {
    const box = this.track.getBoundingClientRect(), edge = this.inset();
    const share = (event.clientX - box.left - edge) / (box.width - 2 * edge);
    let nearest = 0;
    for (let i = 1; i < this.count; i++) if (Math.abs(this.positions[i] - share) < Math.abs(this.positions[nearest] - share)) nearest = i;
    this.go(nearest);
  }

  drop() {
    if (!this.held) return;
    this.held = false;
    this.track.classList.remove("held");
    this.released();
  }

  press(event) {
    const far = event.shiftKey ? 5 : 1, home = this.landmark ?? 0;
    const target = { ArrowRight: this.level + far, ArrowUp: this.level + far, ArrowLeft: this.level - far, ArrowDown: this.level - far,
      PageUp: this.level + 5, PageDown: this.level - 5, Home: home, End: this.count - 1 }[event.key];
    if (event.key === " ") this.toggle();
    else if (target == null) return;
    else { this.stop(); this.go(target); clearTimeout(this.releasing); this.releasing = setTimeout(() => this.released(), 350); }
    event.preventDefault();
    event.stopPropagation();
  }

  released() {
    if (this.reported === `${this.id}:${this.level}`) return;
    this.reported = `${this.id}:${this.level}`;
    this.echoes.add(this.level);
    this.report("level", this.level);
  }

  toggle() {
    if (this.playing) { this.stop(); this.released(); } else this.play();
  }

  play() {
    if (this.playing || this.count < 2) return;
    this.playing = true;
    this.showPlaying();
    const half = SWEEP_SECONDS + REST_SECONDS;
    const here = 0.5 - Math.sin(Math.asin(1 - 2 * this.positions[this.level]) / 3);  // where the eased sweep passes this level
    const began = performance.now() - 1000 * SWEEP_SECONDS * here;
    const tick = (time) => {
      if (!this.playing) return;
      const seconds = ((time - began) / 1000) % (2 * half), back = seconds >= half;
      const share = Math.min(1, (back ? seconds - half : seconds) / SWEEP_SECONDS), eased = share * share * (3 - 2 * share);
      this.go(this.nearestTo(back ? 1 - eased : eased));
      this.ticking = requestAnimationFrame(tick);
    };
    this.ticking = requestAnimationFrame(tick);
  }

  nearestTo(share) {
    let low = 0, high = this.count - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.positions[middle] <= share) low = middle; else high = middle;
    }
    return share - this.positions[low] < this.positions[high] - share ? low : high;
  }

  stop() {
    cancelAnimationFrame(this.ticking);
    if (!this.playing) return;
    this.playing = false;
    this.showPlaying();
  }

  showPlaying() {
    const drawing = icon(this.playing ? PAUSE : PLAY);
    drawing.classList.add("solid");
    this.playButton.replaceChildren(drawing);
    this.playButton.setAttribute("aria-label", this.playing ? _("Pause") : _("Play"));
    this.playButton.title = this.playing ? _("Pause (Space)") : _("Play (Space)");
  }
}
