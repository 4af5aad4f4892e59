// What was looked at, kept in this browser: one HTML file with pictures, and a notebook that repeats it.

const MOST_PICTURES = 60, WIDEST = 640;
const CONTROLS = ["Sidebar", "Slider", "SelectSlider", "Selectbox", "NumberInput", "TextInput", "ButtonGroup", "Radio", "Checkbox", "Code", "Popover"];
const SKIPPED = [...CONTROLS.map((name) => `[data-testid=st${name}]`), "[data-testid=stExpander] details:not([open])", ".feint-report", "button", "input", "select", "textarea", "label", "nav"].join(", ");

class Report {
  constructor(root) {
    this.root = root;
    const button = (text, does) => element("button", { type: "button", text, onclick: does });
    this.html = button(_("Report (HTML)"), () => this.saved((views) => save(new Blob([reportOf(views, this.data.language)], { type: "text/html" }), "feint-report.html")));
    this.notebook = button(_("Notebook"), () => this.saved((views) => save(new Blob([notebookOf(views)], { type: "application/x-ipynb+json" }), "feint-report.ipynb")));
    this.empty = button(_("Empty it"), () => this.begin(async () => { await kept.clear(); }));
    this.said = element("span", { class: "soft small", role: "status" });
    this.bar = element("div", { class: "feint-report", role: "group", "aria-label": _("A report of what was looked at") },
      button(_("Keep this view for a report"), () => this.begin(() => this.keep())), this.html, this.notebook, this.empty, this.said);
    root.replaceChildren(this.bar);
    this.begin(async () => {});
  }

  destroy() {
    this.root.replaceChildren();
  }

  update(data) {
    this.data = data;
  }

  async begin(work) {
    try {
      await work();
      const count = (await kept.all()).length;
      for (const button of [this.html, this.notebook, this.empty]) button.hidden = count === 0;
      say(this.said, count === 0 ? "" : n_("{n} view kept in this browser.", "{n} views kept in this browser.", count));
    } catch (error) {
      say(this.said, _("This browser keeps nothing here: {error}", { error: error.message }));
    }
  }

  async keep() {
    const main = document.querySelector("[data-testid=stMain]");
    const { title, commands, versions } = this.data;
    await kept.add({ title, address: location.href, at: new Date().toISOString(), commands, versions, blocks: await blocksOf(main) });
  }

  saved(does) {
    this.begin(async () => does(await kept.all()));
  }
}

/** The views that this browser keeps. */
const kept = {
  open() {
    return new Promise((done, failed) => {
      const asked = indexedDB.open("feint", 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore("views", { autoIncrement: true });
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => failed(asked.error);
    });
  },
  async ask(mode, question) {
    const base = await this.open();
    return new Promise((done, failed) => {
      const asked = question(base.transaction("views", mode).objectStore("views"));
      asked.onsuccess = () => { base.close(); done(asked.result); };
      asked.onerror = () => { base.close(); failed(asked.error); };
    });
  },
  all() { return this.ask("readonly", (views) => views.getAll()); },
  add(view) { return this.ask("readwrite", (views) => views.add(view)); },
  clear() { return this.ask("readwrite", (views) => views.clear()); },
};

/** Headings, sentences and pictures of the page in their order; what is hidden, and controls, are left out. */
async function blocksOf(main) {
  const found = [];
  walk(main, found);
  const pictures = found.filter((block) => block.picture).slice(0, MOST_PICTURES);
  const blocks = [];
  for (const block of found) {
    if (!block.picture) blocks.push(block);
    else if (pictures.includes(block)) {
      const src = await block.picture().catch(() => null);
      if (src) blocks.push({ src, says: block.says });
    }
  }
  return blocks;
}

function walk(node, found) {
  if (node.nodeType !== Node.ELEMENT_NODE || node.matches(SKIPPED)) return;
  const box = node.getBoundingClientRect();
  if (node.matches(".js-plotly-plot")) {
    const says = node.closest("[aria-label]")?.getAttribute("aria-label") ?? "";
    found.push({ says, picture: async () => `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svgOf(node))}` });
  } else if (node.matches("img")) {
    if (box.width > 0) found.push({ says: node.alt, picture: async () => drawn(node, node.naturalWidth, node.naturalHeight) });
  } else if (node.matches("canvas")) {
    if (box.width > 20 && node.width && node.height) found.push({ says: node.getAttribute("aria-label") ?? "", picture: async () => drawn(node, node.width, node.height) });
  } else if (node.matches("h1, h2, h3, h4, p, li, figcaption")) {
    const text = textOf(node);
    if (text && box.width > 0 && text !== found.at(-1)?.says) found.push({ tag: /^H/.test(node.tagName) ? "h3" : "p", text });
    for (const inner of node.querySelectorAll("img")) walk(inner, found);
  } else {
    for (const inner of node.shadowRoot?.children ?? []) walk(inner, found);
    for (const inner of node.children) walk(inner, found);
  }
}

/** What a paragraph says; of a formula its TeX, once. */
function textOf(node) {
  const hidden = "[translate=no], [data-testid=stIconMaterial], style, script";  // icons are words in a font of their own
  if (!node.querySelector(`.katex, ${hidden}`)) return node.innerText.replace(/\s+/g, " ").trim();
  const copy = node.cloneNode(true);
  for (const formula of copy.querySelectorAll(".katex")) formula.replaceWith(`$${formula.querySelector("annotation")?.textContent ?? formula.textContent}$`);
  for (const part of copy.querySelectorAll(hidden)) part.remove();
  return copy.textContent.replace(/\s+/g, " ").trim();
}

/** A picture or a canvas as an address that holds it; small ones without smoothing. */
async function drawn(node, width, height) {
  const scale = Math.min(1, WIDEST / width);
  const canvas = Object.assign(document.createElement("canvas"), { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) });
  canvas.getContext("2d").drawImage(node, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/png");
}

/** The views as one HTML file that reaches for nothing outside itself. */
function reportOf(views, language) {
  const page = document.implementation.createHTMLDocument(_("What was looked at in Feint"));
  const meta = (attributes) => page.head.append(element("meta", attributes));
  meta({ charset: "utf-8" });
  meta({ name: "viewport", content: "width=device-width, initial-scale=1" });
  meta({ "http-equiv": "Content-Security-Policy", content: "default-src 'none'; style-src 'unsafe-inline'; img-src data:" });
  page.documentElement.lang = language;
  page.head.append(element("style", { text: REPORT_STYLE }));
  const body = views.map((view) => element("section", {}, element("h2", { text: view.title }),
    element("p", { class: "soft", text: `${_("Kept {at} UTC from", { at: view.at.slice(0, 16).replace("T", " ") })} ` }, element("a", { href: view.address, text: view.address })),
    ...view.blocks.filter((block) => block.text !== view.title).map(blockNode),
    ...Object.entries(view.commands).flatMap(([kind, text]) => [element("h3", { text: _("Made again: {kind}", { kind: kind === "Command line" ? _("Command line") : kind }) }), element("pre", { text })]),
    element("p", { class: "soft", text: view.versions })));
  page.body.append(element("main", {}, element("h1", { text: _("What was looked at in Feint") }), ...body));
  return `<!doctype html>\n${page.documentElement.outerHTML}`;
}

function blockNode(block) {
  if (!block.src) return element(block.tag, { text: block.text });
  return element("figure", {}, element("img", { src: block.src, alt: block.says || _("picture") }), block.says && element("figcaption", { text: block.says }));
}

/** The views as a notebook: where each was, and the code that repeats it. */
function notebookOf(views) {
  let number = 0;
  const cell = (kind, source) => ({ id: `view-${number++}`, cell_type: kind, metadata: {}, source, ...(kind === "code" ? { outputs: [], execution_count: null } : {}) });
  const cells = [cell("markdown", "# What was looked at in Feint\n\nRun this in Feint's own folder, with its Python (`.venv`).")];
  for (const { title, address, commands, blocks, versions } of views) {
    const said = blocks.filter((block) => block.tag === "p").map((block) => block.text).slice(0, 12);
    cells.push(cell("markdown", [`## ${title}`, address, ...said, versions].join("\n\n")));
    if (commands.Python) cells.push(cell("code", commands.Python));
    else if (commands["Command line"]) cells.push(cell("code", commands["Command line"].split("\n").map((line) => `!${line}`).join("\n")));
  }
  return JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: { language_info: { name: "python" } }, cells }, null, 1);
}

const REPORT_STYLE = `:root { color-scheme: light dark; } body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; } h1, h2, h3 { line-height: 1.25; }
section { border-top: 1px solid #8888; padding: 0.5rem 0 1.5rem; } figure { display: inline-block; margin: 0.4rem 0.6rem 0.4rem 0; vertical-align: top; max-width: 100%; }
img { max-width: 100%; min-width: 72px; image-rendering: pixelated; } figcaption { font-size: 0.8rem; max-width: 22rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: 0.6rem; background: #8882; } .soft { font-size: 0.85rem; overflow-wrap: anywhere; }`;
