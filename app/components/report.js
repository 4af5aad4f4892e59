// What was looked at, kept in this browser: one HTML file with pictures, and a notebook that repeats it.

const MOST_PICTURES = 120, WIDEST = 640;
const CONTROLS = ["Sidebar", "Slider", "SelectSlider", "Selectbox", "NumberInput", "TextInput", "ButtonGroup", "Radio", "Checkbox", "Popover"];
const SKIPPED = [...CONTROLS.map((name) => `[data-testid=st${name}]`), "[data-testid=stExpander] details:not([open])", ".feint-report", ".st-key-reproduce", "[data-testid=stDataFrame] canvas:not(:has(table))", "button", "input", "select", "textarea", "label", "nav"].join(", ");
const CAPTIONED = { figure: "figcaption", ".picker .cell": ".caption", ".bars .row": ".name, .share, .moved" };  // one picture each, and its words
const TABLES = "table, .bars .rows, .feature-rows, .feint-bars", SAYS = "h1, h2, h3, h4, p, li, figcaption, .headline, .reading, .key, .slot-head";

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

/** Headings, sentences, tables and pictures of the page in their order; what is hidden, and controls, are left out. */
async function blocksOf(main) {
  const found = [], blocks = [];
  walk(main, found);
  let left = MOST_PICTURES;
  for (const { picture, ...block } of found) {
    const src = picture && left-- > 0 ? await picture().catch(() => null) : null;
    if (src || !picture) blocks.push({ ...block, src });
  }
  if (left < 0) blocks.push({ tag: "p", text: n_("{n} further picture is left out.", "{n} further pictures are left out.", -left) });
  return blocks;
}

function walk(node, found) {
  if (node.nodeType !== Node.ELEMENT_NODE) return;
  const box = node.getBoundingClientRect(), words = Object.keys(CAPTIONED).find((kind) => node.matches(kind));
  const [picture, another] = words ? node.querySelectorAll("img, canvas, .picture") : [];
  if (picture && !another) {
    const says = [...node.querySelectorAll(CAPTIONED[words])].map(textOf).filter(Boolean).join(" · ");
    if (box.width > 0) found.push({ says, alt: labelOf(picture) || says, picture: pictureOf(picture) });
  } else if (node.matches(SKIPPED)) {
    return;
  } else if (node.matches(".js-plotly-plot")) {
    const says = node.closest("[aria-label]")?.getAttribute("aria-label") ?? "";
    found.push({ says, picture: async () => `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svgOf(node))}` });
  } else if (node.matches("img")) {
    if (box.width > 0) found.push({ says: node.alt, picture: pictureOf(node) });
  } else if (node.matches("canvas") && !node.querySelector("table")) {
    if (box.width > 20 && node.width && node.height) found.push({ says: node.getAttribute("aria-label") ?? "", alt: labelOf(node), picture: pictureOf(node) });
  } else if (node.matches(`canvas, ${TABLES}`) && !node.querySelector(".row canvas")) {
    if (box.width > 0) found.push({ rows: rowsOf(node.querySelector("table") ?? node) });
  } else if (node.matches("[data-testid=stCode]")) {
    found.push({ tag: "pre", text: node.querySelector("code").innerText.trim() });
  } else if (node.matches(SAYS)) {
    const text = textOf(node);
    if (text && box.width > 0 && text !== found.at(-1)?.says) found.push({ tag: /^H/.test(node.tagName) ? "h3" : "p", text });
    if (node.matches(".bars > h3")) found.push({ tag: "p", text: _("Each with its share now, and by how many points that differs from the clean sample's.") });
    for (const inner of node.querySelectorAll("img")) walk(inner, found);
  } else {
    for (const inner of node.shadowRoot?.children ?? []) walk(inner, found);
    for (const inner of node.children) walk(inner, found);
  }
}

/** The cells of a table, each what it says and whether it is a heading; of a list that is drawn as one, what each line says. */
function rowsOf(node) {
  const cell = (part) => ({ text: textOf(part), head: part.tagName === "TH" });
  if (node.rows) return [...node.rows].map((row) => [...row.cells].map(cell));
  return [...node.children].map((row) => [...row.children].map(cell).filter(({ text }) => text));
}

/** What a picture is called for those who do not see it: its own words, else those of what it is a part of. */
function labelOf(node) {
  return node.alt || node.closest("[aria-label]")?.getAttribute("aria-label") || "";
}

/** What a paragraph says; of a formula its TeX, once. */
function textOf(node) {
  const hidden = "[translate=no], [data-testid=stIconMaterial], .legend, style, script";  // icons are words in a font of their own
  if (!node.querySelector(`.katex, ${hidden}`)) return node.innerText.replace(/\s+/g, " ").trim();
  const copy = node.cloneNode(true);
  for (const formula of copy.querySelectorAll(".katex")) formula.replaceWith(`$${formula.querySelector("annotation")?.textContent ?? formula.textContent}$`);
  for (const part of copy.querySelectorAll(hidden)) part.remove();
  return copy.textContent.replace(/\s+/g, " ").trim();
}

/** What draws a picture, a canvas, or the cell of a picker, whose picture is a part of one that all its cells share. */
function pictureOf(node) {
  return async () => {
    if (node.matches("canvas")) return drawn(node, node.width, node.height);
    if (node.matches("img")) return drawn(node, node.naturalWidth, node.naturalHeight);
    const cell = node.closest(".cell"), cells = [...cell.parentElement.children], sheet = new Image();
    sheet.src = getComputedStyle(node).backgroundImage.slice('url("'.length, -'")'.length);
    await sheet.decode();
    const height = sheet.naturalHeight / cells.length;
    return drawn(sheet, sheet.naturalWidth, height, height * cells.indexOf(cell));
  };
}

/** A picture or a canvas, from `top` down, as an address that holds it; a row of numbers as a strip. */
async function drawn(node, width, height, top = 0) {
  const scale = Math.min(1, WIDEST / width), high = height === 1 ? width / 3 : height;
  const canvas = Object.assign(document.createElement("canvas"), { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(high * scale)) });
  canvas.getContext("2d").drawImage(node, 0, top, width, height, 0, 0, canvas.width, canvas.height);
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
    ...Object.entries(view.commands).filter(([, text]) => !text.split("\n").every((line) => stands(view, line))).flatMap(([kind, text]) => [element("h3", { text: _("Made again: {kind}", { kind: kind === "Command line" ? _("Command line") : kind }) }), element("pre", { text })]),
    element("p", { class: "soft", text: view.versions })));
  page.body.append(element("main", {}, element("h1", { text: _("What was looked at in Feint") }), ...body));
  return `<!doctype html>\n${page.documentElement.outerHTML}`;
}

/** Whether the page itself shows a command. */
function stands(view, line) {
  return view.blocks.some(({ tag, text }) => tag === "pre" && text === line);
}

function blockNode({ src, says, alt, rows, tag, text }) {
  if (rows) return element("table", {}, ...rows.map((row) => element("tr", {}, ...row.map((cell) => element(cell.head ? "th" : "td", { text: cell.text })))));
  if (!src) return element(tag, { text });
  return element("figure", {}, element("img", { src, alt: alt || says || _("picture") }), says ? element("figcaption", { text: says }) : null);
}

/** The views as a notebook: where each was, and the code that repeats it. */
function notebookOf(views) {
  let number = 0;
  const cell = (kind, source) => ({ id: `view-${number++}`, cell_type: kind, metadata: {}, source, ...(kind === "code" ? { outputs: [], execution_count: null } : {}) });
  const opened = _("Put this file into Feint's own folder and open it there in any Jupyter that has the Python of `.venv`, for example: `.venv/bin/python -m pip install notebook`, then `.venv/bin/python -m notebook feint-report.ipynb`.");
  const cells = [cell("markdown", `# ${_("What was looked at in Feint")}\n\n${opened}`)];
  for (const { title, address, commands, blocks, versions } of views) {
    const said = blocks.filter((block) => block.tag === "p").map((block) => block.text).slice(0, 12);
    cells.push(cell("markdown", [`## ${title}`, address, ...said, versions].join("\n\n")));
    if (commands.Python) cells.push(cell("code", commands.Python));
    else for (const line of commands["Command line"]?.split("\n") ?? []) cells.push(cell("code", `!${line.replace(/[{}]/g, "$&$&")}`));  // in braces IPython puts values
  }
  return JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: { language_info: { name: "python" } }, cells }, null, 1);
}

const REPORT_STYLE = `:root { color-scheme: light dark; } body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; } h1, h2, h3 { line-height: 1.25; }
section { border-top: 1px solid #8888; padding: 0.5rem 0 1.5rem; } figure { display: inline-block; margin: 0.4rem 0.6rem 0.4rem 0; vertical-align: top; max-width: 100%; }
img { max-width: 100%; min-width: 72px; image-rendering: pixelated; } figcaption { font-size: 0.8rem; max-width: 22rem; }
table { border-collapse: collapse; margin: 0.6rem 0; font-size: 0.9rem; } th, td { border: 1px solid #8886; padding: 0.2rem 0.5rem; text-align: left; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: 0.6rem; background: #8882; } .soft { font-size: 0.85rem; overflow-wrap: anywhere; }`;
