"""A component with its data as one HTML file: plays on a phone with no server and reaches for nothing outside
itself.
"""

import json
from collections.abc import Mapping
from html import escape
from typing import Any, Literal

from app import components
from app.words import ENGLISH, N_, said

_SHELL = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
:root {{ color-scheme: light dark; --st-font: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  --st-base-radius: 0.5rem; {light} }}
@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}
body {{ margin: 0 auto; padding: clamp(0.9rem, 3vw, 2.2rem); max-width: 70rem;
  background: var(--st-background-color); font-family: var(--st-font); color: var(--st-text-color); }}
footer {{ margin-top: 1.2rem; font-size: 0.8rem; line-height: 1.45; opacity: 0.75; }}
{style}
</style>
</head>
<body>
{body}
<script type="module">
{script}
</script>
</body>
</html>
"""


_BODY = """<main class="feint">
<noscript>{without}</noscript></main>
<footer>{note}</footer>
{payload}"""
_SCRIPT = """
const root = document.querySelector(".feint");
const payload = JSON.parse(document.getElementById("payload").textContent);
const component = new {component}(root, () => {{}});
component.update(payload);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => component.update(payload));
"""


def standalone_html(
    component: Literal["ladder", "map", "wipe"],
    payload: Mapping[str, Any],
    title: str,
    note: str,
    language: str = ENGLISH,
) -> str:
    """The file's text: `payload` is what the component's `…_payload` gave, `note` says where the picture is
    from: model, protocol, link.
    """
    without = said(language).gettext(
        N_("This picture moves with the help of JavaScript, which is switched off.")
    )
    shown = data("payload", without_private(payload))
    return page(
        title,
        body=_BODY.format(note=escape(note), payload=shown, without=escape(without)),
        script=components.script(component, language)
        + _SCRIPT.format(component=components.CLASSES[component]),
        style=components.style(component),
        language=language,
    )


def without_private(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A payload without what is meant for the server alone."""
    return {name: value for name, value in payload.items() if not name.startswith("_")}


def data(name: str, content: Any) -> str:
    """Content as JSON inside a page, which reads it by its name; nothing in it ends the element."""
    text = json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{text}</script>'


def page(title: str, body: str, script: str, style: str, language: str = "en") -> str:
    """A whole file in Feint's colours that reaches for nothing outside itself. `body` is markup."""
    return _SHELL.format(
        title=escape(title),
        body=body,
        script=script.replace("</script", "<\\/script"),
        style=style,
        language=language,
        light=_colours("#0072B2", "#FFFFFF", "#F2F5F8", "#0F1923", "#D5DDE5"),
        dark=_colours("#2878B8", "#12171D", "#1E262F", "#E8EDF2", "#35414D"),
    )


def _colours(primary: str, background: str, panel: str, text: str, border: str) -> str:
    """The names that Streamlit gives the same colours (.streamlit/config.toml)."""
    named = {
        "primary-color": primary,
        "background-color": background,
        "secondary-background-color": panel,
        "text-color": text,
        "border-color": border,
    }
    return "".join(f"--st-{name}: {colour}; " for name, colour in named.items())
