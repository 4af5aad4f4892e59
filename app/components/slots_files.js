// Several ladders as they stand, as SVG and PNG, and their levels as CSV; nothing goes to the server.

const SLOT_SIDE = 180, BAND_TALL = 26;

/** What all slots show, as files; three buttons below them. */
class SlotsFiles {
  constructor(slots) {
    this.slots = slots;
    const makes = { svg: () => svgFile(this.svg()), png: () => pngOf(this.svg()), csv: () => csvFile(this.levels()) };
    this.node = new SaveBar(_("Save this moment"), makes, () => `feint-compare-${slots.data.id}-${slots.level}`).node;
  }

  /** The reading, a row of winning groups a slot, and every slot's pictures, as text. */
  svg() {
    const { slots } = this, sheet = new Sheet(slots.theme, 3 * SLOT_SIDE + 2 * SHEET_GAP + 2 * SHEET_EDGE);
    sheet.write(`${slots.value.textContent} ${slots.unit.textContent} · ${slots.said.textContent}`, 16, { weight: 600 });
    this.bands(sheet);
    sheet.write(slots.rows.textContent, 11);
    for (const { letter, name, star, ladder } of slots.slots) {
      sheet.y += 14;
      sheet.write(`${letter}: ${name} · ${star}`, 13, { weight: 600 });
      sheet.write(`${ladder.badge.textContent} · ${ladder.now.textContent}`, 12);
      sheet.pictures(ladder, SLOT_SIDE);
    }
    sheet.y += 6;
    for (const protocol of new Set(slots.slots.map(({ ladder }) => ladder.data.protocol))) sheet.write(protocol, 11);
    return sheet.text();
  }

  /** Which group wins at each ε, a row a slot, noise below it, and the level that is shown. */
  bands(sheet) {
    const { slots } = this, places = slots.data.levels.map((_unused, i) => slots.place(i)), top = (sheet.y += 10);
    slots.slots.forEach(({ letter, ladder }, row) => {
      const y = top + BAND_TALL * row;
      sheet.nodes.push(drawn("text", { x: SHEET_EDGE / 2, y: y + 11, "font-size": 11, "font-weight": 700, "text-anchor": "middle" }, letter));
      sheet.band(runsOf(places, slots.colours(ladder, ladder.winner)), y, 14);
      if (ladder.noiseWinner) sheet.band(runsOf(places, slots.colours(ladder, ladder.noiseWinner)), y + 15, 5);
      if (ladder.landmark != null) sheet.upright(places[ladder.landmark], y - 3, 24, 2);
    });
    sheet.upright(places[slots.level], top - 6, BAND_TALL * slots.slots.length + 6, 2);
    sheet.y = top + BAND_TALL * slots.slots.length;
    sheet.ticks(slots.scale);
  }

  /** One line a slot and level. */
  levels() {
    return this.slots.slots.flatMap(({ letter, name, ladder }) => levelsOf(ladder).map((level) => ({ slot: letter, model: name, ...level })));
  }
}
