// Two buttons that save the figure above them, as SVG and as PNG.

class Figure {
  constructor(root) {
    this.root = root;
    const plot = () => document.querySelector(`.${this.data.of} .js-plotly-plot`);
    const makes = { svg: () => plot() && svgFile(svgOf(plot())), png: () => plot() && pngOf(svgOf(plot())) };
    root.replaceChildren(new SaveBar(_("Save this figure"), makes, () => this.data.name).node);
  }

  destroy() {
    this.root.replaceChildren();
  }

  update(data) {
    this.data = data;
  }
}
