// Who is near the sample in the embedding, clean and where it stands now: two rows of pictures below the map of a ladder.

class Near {
  constructor() {
    this.rows = [_("clean"), _("now")].map((name) => element("div", { class: "near-row" }, element("span", { class: "soft small", text: name })));
    this.node = element("div", { class: "near" }, element("h3", { text: _("Nearest in the embedding") }), ...this.rows);
  }

  /** `near` has the pictures, each once, and which of them are near at each level; `picture` draws one of `size` bytes. */
  lay(near, size, picture) {
    this.near = near;
    this.node.hidden = !near;
    if (!near) return;
    const bytes = bytesOf(near.images);
    this.picture = (k) => picture(bytes.subarray(k * size, (k + 1) * size));
    this.shown = null;
    this.show(this.rows[0], near.clean);
  }

  draw(level) {
    if (!this.near) return;
    const chosen = this.near.levels[level], name = chosen.join();
    if (name === this.shown) return;
    this.shown = name;
    this.show(this.rows[1], chosen);
  }

  show(row, chosen) {
    row.replaceChildren(row.firstChild, ...chosen.map((k) => this.picture(k)));
  }
}
