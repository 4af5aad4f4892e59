// Two buttons that save the figure above them, as SVG and as PNG.

class Figure {
  constructor(root) {
    this.root = root;
    const button = (text, does) => element("button", { type: "button", text, onclick: does });
    this.said = element("span", { class: "soft small", role: "status" });
    this.bar = element("div", { class: "figure", role: "group", "aria-label": _("Save this figure") },
      button("SVG", () => this.save("svg")), button("PNG", () => this.save("png")), this.said);
    root.replaceChildren(this.bar);
  }

  destroy() {
    this.root.replaceChildren();
  }

  update(data) {
    this.data = data;
  }

  async save(kind) {
    const plot = document.querySelector(`.${this.data.of} .js-plotly-plot`);
    if (!plot) return say(this.said, _("The figure is not drawn yet."));
    const blob = kind === "svg" ? new Blob([svgOf(plot)], { type: "image/svg+xml" }) : await pngOf(svgOf(plot));
    save(blob, `${this.data.name}.${kind}`);
    say(this.said, _("Saved as {kind}.", { kind: kind.toUpperCase() }));
  }
}
