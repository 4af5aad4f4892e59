// Two pictures of the same thing: wipe over, side by side, or blink. Keyboard and touch; nothing goes to the server.

const MODES = [["wipe", N_("Wipe")], ["side", N_("Side by side")], ["blink", N_("Blink")]];
const BLINK_MS = 650;  // below three changes a second, which is safe for people sensitive to flicker

class Wipe {
  constructor(root, report) {
    this.root = root;
    this.report = report;
    this.share = 0.5;
    this.mode = null;
    this.build();
  }

  destroy() {
    clearInterval(this.blinking);
    this.root.replaceChildren();
  }

  build() {
    const picture = (name) => {
      this[name] = element("img", { class: `pixels ${name}`, draggable: "false" });
      this[`${name}Note`] = element("figcaption", { class: "soft small" });
      return element("figure", {}, this[name], this[`${name}Note`]);
    };
    this.title = element("span", { class: "title" });
    this.modes = Object.fromEntries(MODES.map(([mode, text]) => [mode, element("button", { type: "button", text: _(text), "aria-pressed": "false", onclick: () => this.choose(mode) })]));
    this.handle = element("div", { class: "handle", role: "slider", tabindex: "0", "aria-label": _("How much of each picture"), "aria-valuemin": "0", "aria-valuemax": "100" }, element("i"));
    this.stage = element("div", { class: "stage" }, picture("before"), picture("after"), this.handle);
    this.stage.addEventListener("pointerdown", (event) => { if (this.mode === "wipe") { this.held = true; this.stage.setPointerCapture(event.pointerId); this.drag(event); } });
    this.stage.addEventListener("pointermove", (event) => this.held && this.drag(event));
    for (const name of ["pointerup", "pointercancel"]) this.stage.addEventListener(name, () => { this.held = false; });
    this.handle.addEventListener("keydown", (event) => this.press(event));
    this.caption = element("p", { class: "soft small caption" });
    this.group = element("div", { class: "wipe", role: "group" },
      element("header", {}, this.title, element("div", { class: "modes", role: "toolbar", "aria-label": _("How to compare") }, ...Object.values(this.modes))),
      this.stage, this.caption);
    this.root.replaceChildren(this.group);
  }

  update(data) {
    this.data = data;
    this.group.setAttribute("aria-label", data.title);
    say(this.title, data.title);
    say(this.caption, data.caption);
    for (const name of ["before", "after"]) {
      this[name].src = data[name].src;
      this[name].alt = data[name].name;
      say(this[`${name}Note`], data[name].name);
    }
    this.stage.style.setProperty("--shape", `${data.size[0]} / ${data.size[1]}`);
    if (this.mode == null) this.choose(data.mode);
    this.cut();
  }

  choose(mode) {
    if (mode === "blink" && this.mode === "blink") mode = "wipe";
    this.mode = mode;
    clearInterval(this.blinking);
    this.group.dataset.mode = mode;
    this.group.classList.remove("second");
    for (const [name, button] of Object.entries(this.modes)) button.setAttribute("aria-pressed", String(name === mode));
    if (mode === "blink") this.blinking = setInterval(() => this.group.classList.toggle("second"), BLINK_MS);
  }

  drag(event) {
    const box = this.stage.getBoundingClientRect();
    this.share = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
    this.cut();
  }

  cut() {
    const share = Math.round(100 * this.share);
    this.stage.style.setProperty("--cut", `${100 * this.share}%`);
    this.handle.setAttribute("aria-valuenow", share);
    this.handle.setAttribute("aria-valuetext", `${share} % ${this.data.before.name}, ${100 - share} % ${this.data.after.name}`);
  }

  press(event) {
    const step = event.shiftKey ? 0.25 : 0.05;
    const target = { ArrowRight: this.share + step, ArrowUp: this.share + step, ArrowLeft: this.share - step, ArrowDown: this.share - step, Home: 0, End: 1 }[event.key];
    if (target != null) { this.share = Math.max(0, Math.min(1, target)); this.cut(); }
    else if (event.key === " ") { this.share = this.share < 0.5 ? 1 : 0; this.cut(); }
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
