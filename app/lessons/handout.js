
// The handout of a lesson: ladders that play, questions that check themselves. Nothing leaves the page.
{
  const ladders = JSON.parse(document.getElementById("ladders").textContent);
  const words = JSON.parse(document.getElementById("words").textContent);
  const mounted = [];
  for (const place of document.querySelectorAll("[data-ladder]")) {
    const payload = { ...ladders[place.dataset.ladder], start: Number(place.dataset.start), autoplay: false };
    payload.id += place.dataset.start;
    const ladder = new Ladder(place, () => {});
    ladder.update(payload);
    place.ladder = ladder;
    mounted.push([ladder, payload]);
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => mounted.forEach(([ladder, payload]) => ladder.update(payload)));

  const fill = (text, parts) => text.replace(/\{(\w+)\}/g, (_, name) => parts[name] ?? "").replaceAll("**", "");
  const say = (field, right, text) => {
    const verdict = field.querySelector(".verdict");
    verdict.textContent = text;
    verdict.dataset.right = right;
  };

  for (const field of document.querySelectorAll("fieldset")) {
    const reveal = field.classList.contains("predict") ? field.nextElementSibling : null;
    const { right, tolerance, hint } = field.dataset;
    const buttons = [...field.querySelectorAll("button")];
    const judge = (given) => Math.abs(Number(given) - Number(right)) <= Number(tolerance) + 1e-9;
    if (reveal) reveal.hidden = true;
    const choose = (index) => {
      buttons.forEach((button, other) => button.setAttribute("aria-pressed", other === index));
      const good = String(index) === right;
      if (!reveal) return say(field, good, good ? words.right : fill(words.wrong, { hint }));
      buttons.forEach((button) => { button.disabled = true; });
      reveal.hidden = false;
      say(field, good, fill(good ? words.predicted : words.mistaken, { said: buttons[index].textContent, right: buttons[Number(right)].textContent }));
    };
    if (field.querySelector(".options")) {
      buttons.forEach((button, index) => button.addEventListener("click", () => choose(index)));
      continue;
    }
    const input = field.querySelector("input");
    const number = () => {
      if (input) return input.value.trim() === "" ? NaN : input.value.replace(",", ".");
      const place = field.closest(".step").querySelector("[data-ladder]");
      return ladders[place.dataset.ladder].levels[place.ladder.level];
    };
    const check = () => {
      const good = judge(number());
      say(field, good, good ? words.right : fill(words.wrong, { hint }));
    };
    buttons[0].addEventListener("click", check);
    input?.addEventListener("keydown", (event) => { if (event.key === "Enter") check(); });
  }
}
