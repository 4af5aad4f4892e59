// A grid of thumbnails: click or arrow keys choose, Enter or Space confirms. Reports "picked" (an id).
export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const root = parentElement.querySelector(".picker");
  const count = data.cells.length;
  root.replaceChildren();
  root.setAttribute("role", "listbox");
  root.setAttribute("aria-label", data.label);
  root.style.setProperty("--size", `${data.size}px`);
  const buttons = data.cells.map((cell, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "cell" + (cell.marked ? " marked" : "");
    button.setAttribute("role", "option");
    button.setAttribute("aria-selected", String(cell.id === data.chosen));
    button.setAttribute("aria-label", cell.said);
    button.tabIndex = cell.id === data.chosen || (place === 0 && !data.cells.some((other) => other.id === data.chosen)) ? 0 : -1;
    const picture = document.createElement("span");
    picture.className = "picture";
    picture.style.height = `${Math.round(data.size * data.aspect)}px`;
    picture.style.backgroundImage = `url(${data.sprite})`;
    picture.style.backgroundSize = `100% ${count * 100}%`;
    picture.style.backgroundPosition = `0 ${count > 1 ? (place / (count - 1)) * 100 : 0}%`;
    const caption = document.createElement("span");
    caption.className = "caption";
    caption.textContent = cell.caption;
    button.append(picture, caption);
    button.onclick = () => {
      buttons.forEach((other) => other.setAttribute("aria-selected", String(other === button)));
      setTriggerValue("picked", cell.id);
    };
    return button;
  });
  root.append(...buttons);
  root.onkeydown = (event) => {
    const at = buttons.indexOf(root.getRootNode().activeElement);
    const across = Math.max(1, buttons.filter((button) => button.offsetTop === buttons[0].offsetTop).length);
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across }[event.key];
    const to = event.key === "Home" ? 0 : event.key === "End" ? count - 1 : at + (step ?? 0);
    if (at < 0 || to === at || to < 0 || to >= count) return;
    event.preventDefault();
    buttons[at].tabIndex = -1;
    buttons[to].tabIndex = 0;
    buttons[to].focus();
  };
}
