// What the components share: decoding, colours of the page, small DOM helpers. Plain JavaScript, no imports, no build.

/** A text in the language of whoever looks, with `values` in its {fields}: English stands here, SAID has the others. */
function _(text, values = {}) {
  return (SAID[text] ?? text).replace(/\{(\w+)\}/g, (field, name) => values[name] ?? field);
}

/** A text about n things, n among its values. */
function n_(one, many, n, values = {}) {
  return _((SAID[one] ?? [one, many])[n === 1 ? 0 : 1], { n, ...values });
}

/** Marks a text that is declared here and said by `_` elsewhere. */
const N_ = (text) => text;

/** Bytes of a base64 string. */
function bytesOf(text) {
  const raw = atob(text), out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return out;
}

/** A typed array (Float32Array, Uint16Array …) from base64, or null where there is none. */
function arrayOf(text, Type) {
  return text == null ? null : new Type(bytesOf(text).buffer);
}

/** Base64 of bytes. */
function base64Of(bytes) {
  let raw = "";
  for (let i = 0; i < bytes.length; i += 8192) raw += String.fromCharCode.apply(null, bytes.subarray(i, i + 8192));
  return btoa(raw);
}

/** An element: tag, attributes (class, text and on… included), children. Text is always set as text, never as HTML. */
function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value == null || value === false) continue;
    if (name === "class") node.className = value;
    else if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

/** A small drawing of 20 × 20 from SVG path data. */
function icon(path) {
  const space = "http://www.w3.org/2000/svg", svg = document.createElementNS(space, "svg"), line = document.createElementNS(space, "path");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

/** Set text only where it differs: writing the same text costs a layout. */
function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const colourProbe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
/** Any CSS colour as [red, green, blue], 0 to 255. */
function rgbOf(colour) {
  colourProbe.clearRect(0, 0, 1, 1);
  colourProbe.fillStyle = colour;
  colourProbe.fillRect(0, 0, 1, 1);
  return [...colourProbe.getImageData(0, 0, 1, 1).data.subarray(0, 3)];
}

/** [red, green, blue] as one number in the byte order of ImageData on little-endian machines. */
function pixelOf([red, green, blue], alpha = 255) {
  return ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** [red, green, blue] as CSS, alpha 0 to 1. */
function inked([red, green, blue], alpha = 1) {
  return `rgb(${red} ${green} ${blue} / ${alpha})`;
}

/** A colour between two, share 0 to 1. */
function mixed(from, to, share) {
  return from.map((value, i) => Math.round(value + (to[i] - value) * share));
}

/** What this component told the server and may hear back: the newest echo settles it, older ones are stale. */
class Echoes {
  constructor() { this.sent = []; }
  add(value) { this.sent = [...this.sent.slice(-7), value]; }
  /** True where `value` is our own word coming back. */
  hears(value) {
    const at = this.sent.lastIndexOf(value);
    if (at < 0) { this.sent = []; return false; }
    if (at === this.sent.length - 1) this.sent = [];
    return true;
  }
}

/** The page's colours as they are now: background, text, primary, border and the categories. */
function themeOf(node) {
  const style = getComputedStyle(node);
  const read = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  const background = rgbOf(read("--st-background-color", "#ffffff"));
  const dark = 0.299 * background[0] + 0.587 * background[1] + 0.114 * background[2] < 128;
  const categories = dark ? PALETTE.dark : PALETTE.light;
  const text = rgbOf(read("--st-text-color", dark ? "#eeeeee" : "#1b2733"));
  return {
    dark, background, categories, text,
    font: read("--st-font", "sans-serif"),
    category: (k) => (k < categories.length ? categories[k] : `hsl(${(k * 137.5) % 360} 60% ${dark ? 65 : 42}%)`),
  };
}

/** 511 pixels of the zero-centred scale, from −255 to 255; zero is the page's own background. */
function divergingPixels(theme) {
  const zero = theme.dark ? mixed(theme.background, theme.text, 0.06) : [247, 247, 247];
  const ends = theme.dark ? [[120, 190, 255], [255, 146, 64]] : [PALETTE.negative, PALETTE.positive];
  return Uint32Array.from({ length: 511 }, (_, i) => pixelOf(mixed(zero, i < 255 ? ends[0] : ends[1], Math.abs(i - 255) / 255)));
}

/** Make a canvas as sharp as the screen; true where its size changed. */
function fitCanvas(canvas, width, height) {
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  const [wide, high] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width === wide && canvas.height === high) return false;
  canvas.width = wide;
  canvas.height = high;
  return true;
}

const quietMotion = window.matchMedia("(prefers-reduced-motion: reduce)");
const percent = (share) => `${(100 * share).toFixed(share > 0.0005 && share < 0.01 ? 1 : 0)} %`;
/** A formatted number with a minus sign in place of its hyphen. */
const minus = (text) => text.replaceAll("-", "\u2212");
const counted = (number) => number.toLocaleString("en-US");
