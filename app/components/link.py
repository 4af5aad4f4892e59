"""A button that copies the page's address, which holds every choice."""

import streamlit as st

from app.words import _

_SCRIPT = """
export default function ({ parentElement, data }) {
  const button = parentElement.querySelector("button");
  button.textContent = data.copy;
  const say = (words) => {
    button.textContent = words;
    setTimeout(() => { button.textContent = data.copy; }, 1600);
  };
  button.onclick = async () => {
    const address = window.location.href;
    try {
      await navigator.clipboard.writeText(address);
    } catch {  // no clipboard without HTTPS: select a hidden field instead
      const field = Object.assign(document.createElement("textarea"), { value: address });
      document.body.append(field);
      field.select();
      const copied = document.execCommand("copy");
      field.remove();
      if (!copied) { say(data.refused); return; }
    }
    say(data.copied);
  };
}
"""
_STYLE = """
button { font: inherit; font-size: 0.86rem; padding: 0.3rem 0.75rem;
  border-radius: var(--st-base-radius, 0.5rem);
  cursor: pointer;
  border: 1px solid var(--st-border-color); background: var(--st-background-color);
  color: var(--st-text-color); white-space: nowrap; }
button:hover { border-color: var(--st-primary-color); color: var(--st-primary-color); }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
"""
_mount = st.components.v2.component(
    "feint_link", html='<button type="button" aria-live="polite"></button>', css=_STYLE, js=_SCRIPT
)


def copy_link() -> None:
    """Draw the button."""
    words = {"copy": _("Copy link"), "copied": _("Copied"), "refused": _("Copy it from the address bar")}
    _mount(data=words, key="copy_link", width="content")
