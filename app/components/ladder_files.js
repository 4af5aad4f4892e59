// A ladder as it stands, as SVG and PNG, and its levels as CSV; nothing goes to the server.

const LADDER_SIDE = 260, AXIS_TALL = 90;
const AXIS_NAMES = { epsilon: "epsilon", path: "step", lambda: "lambda", compressed: "compressed", nu: "nu" };

/** What a ladder shows, as files; three buttons below it. */
class LadderFiles {
  constructor(ladder) {
    this.ladder = ladder;
    const makes = { svg: () => svgFile(this.svg()), png: () => pngOf(this.svg()), csv: () => csvFile(levelsOf(ladder)) };
    this.node = new SaveBar(_("Save this moment"), makes, () => `feint-ladder-${ladder.id}-${ladder.level}`).node;
  }

  /** Title and reading, the three pictures, the axis with its curve, the protocol, as text. */
  svg() {
    const { ladder } = this, { data } = ladder, sheet = new Sheet(ladder.theme, 3 * LADDER_SIDE + 2 * SHEET_GAP + 2 * SHEET_EDGE);
    ladder.stop();
    sheet.write(`${data.title}: ${ladder.exact(data.levels[ladder.level])} ${ladder.exactUnit(data.levels[ladder.level])}`, 18, { weight: 600 });
    sheet.write(ladder.now.textContent, 13);
    sheet.pictures(ladder, LADDER_SIDE);
    this.axis(sheet);
    sheet.write([...ladder.key.children].map((part) => `${KEY_SIGNS[part.firstChild.className]} ${part.textContent}`).join(" · "), 11);
    sheet.y += 6;
    sheet.write(data.protocol, 11);
    return sheet.text();
  }

  /** The curve with the control beside it, the bands of winning groups, the mark, and the level that is shown. */
  axis(sheet) {
    const { ladder } = this, { positions, level, theme } = ladder, star = ladder.starPosition(), colour = hexOf(ladder.colour(ladder.own ?? 0));
    if (star != null) sheet.nodes.push(drawn("text", { x: SHEET_EDGE + star * sheet.inner, y: sheet.y + 22, "font-size": 12, "font-weight": 600, "text-anchor": anchorOf(star) }, ladder.starText()));
    const top = sheet.y + 28, bands = [ladder.winner, ladder.noiseWinner].filter(Boolean), floor = top + AXIS_TALL - 10 * bands.length - 3;
    const x = (i) => (SHEET_EDGE + positions[i] * sheet.inner).toFixed(1);
    const y = (value) => (floor - ((floor - top - 6) * (value - ladder.lineLow)) / (ladder.lineHigh - ladder.lineLow)).toFixed(1);
    const line = (values) => `M${Array.from(values, (value, i) => `${x(i)} ${y(value)}`).join("L")}`;
    const path = (d, more) => sheet.nodes.push(drawn("path", { d, fill: "none", "stroke-linejoin": "round", ...more }));
    sheet.nodes.push(drawn("rect", { x: SHEET_EDGE, y: top, width: sheet.inner, height: AXIS_TALL, fill: hexOf(mixed(theme.background, theme.text, 0.05)) }));
    path(`${line(ladder.line)}L${x(ladder.count - 1)} ${floor}L${x(0)} ${floor}Z`, { fill: colour, "fill-opacity": theme.dark ? 0.22 : 0.14 });
    path(line(ladder.line), { stroke: colour, "stroke-width": 2 });
    if (ladder.noiseLine) path(line(ladder.noiseLine), { stroke: hexOf(theme.text), "stroke-opacity": 0.55, "stroke-width": 1.5, "stroke-dasharray": "4 4" });
    bands.forEach((winner, row) => sheet.band(runsOf(positions, (i) => ladder.colour(winner[i])), floor + 3 + 10 * row, 7));
    if (star != null) sheet.upright(star, top, AXIS_TALL, 1);
    sheet.upright(positions[level], top - 4, AXIS_TALL + 8, 2);
    sheet.nodes.push(drawn("circle", { cx: x(level), cy: y(ladder.line[level]), r: 5, fill: hexOf(ladder.colour(ladder.winner ? ladder.winner[level] : 0)), stroke: hexOf(theme.text), "stroke-width": 2 }));
    sheet.y = top + AXIS_TALL + 2;
    sheet.ticks(ladder.scale);
  }
}

/** One line a level: its sizes, the objective's value, which group wins and how sure the model is of the clean one, the same under noise. */
function levelsOf(ladder) {
  const { data } = ladder, own = (q, i) => q && q[i * ladder.groups + ladder.own], named = (winner, i) => winner && data.group_names[winner[i]];
  return data.levels.map((level, i) => ({
    [AXIS_NAMES[data.axis]]: level, linf: data.linf[i], l2: data.l2[i], value: data.value[i], reached: data.reached && data.reached[i],
    group: named(ladder.winner, i), q_own: own(ladder.q, i),
    noise_value: data.noise_value && data.noise_value[i], noise_group: named(ladder.noiseWinner, i), noise_q_own: own(ladder.noiseQ, i),
  }));
}
