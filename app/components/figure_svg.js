// A Plotly figure of this page as one SVG, and an SVG as PNG; nothing goes to the server.

const SVG_SPACE = "http://www.w3.org/2000/svg";
const PNG_SCALE = 3;

/** One SVG of a figure's layers on the page's own background, as text. */
function svgOf(plot) {
  const box = plot.getBoundingClientRect(), width = Math.round(box.width), height = Math.round(box.height);
  const whole = document.createElementNS(SVG_SPACE, "svg");
  for (const [name, value] of Object.entries({ xmlns: SVG_SPACE, width, height, viewBox: `0 0 ${width} ${height}` })) whole.setAttribute(name, value);
  const ground = document.createElementNS(SVG_SPACE, "rect");
  for (const [name, value] of Object.entries({ width, height, fill: getComputedStyle(document.body).backgroundColor })) ground.setAttribute(name, value);
  whole.append(ground);
  for (const layer of plot.querySelectorAll("svg.main-svg")) {
    const part = document.createElementNS(SVG_SPACE, "g");
    part.append(...layer.cloneNode(true).childNodes);
    for (const hidden of part.querySelectorAll(".hoverlayer, .draglayer, .zoomlayer")) hidden.remove();
    whole.append(part);
  }
  return new XMLSerializer().serializeToString(whole);
}

/** An SVG as a PNG, three times as large: a promise of a Blob. */
async function pngOf(text) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: image.width * PNG_SCALE, height: image.height * PNG_SCALE });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

/** A bar of buttons, one a kind of file: `makes` (kind -> a Blob, a promise of one, or null) and what they are called. */
class SaveBar {
  constructor(label, makes, name) {
    this.said = element("span", { class: "soft small", role: "status" });
    this.node = element("div", { class: "figure", role: "group", "aria-label": label },
      ...Object.keys(makes).map((kind) => element("button", { type: "button", text: kind.toUpperCase(), onclick: () => this.save(kind) })), this.said);
    this.makes = makes;
    this.name = name;
  }

  async save(kind) {
    const blob = await this.makes[kind]();
    if (!blob) return say(this.said, _("The figure is not drawn yet."));
    save(blob, `${this.name()}.${kind}`);
    say(this.said, _("Saved as {kind}.", { kind: kind.toUpperCase() }));
  }
}

/** An SVG's text as a file. */
const svgFile = (text) => new Blob([text], { type: "image/svg+xml" });

/** Let the browser save a Blob under a name. */
function save(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
