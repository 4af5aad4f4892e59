"""Markdown with $formulas$ as HTML that needs no script and no font: formulas become MathML."""

import re
from collections.abc import Callable
from html import escape

from latex2mathml import converter
from markdown_it import MarkdownIt

FORMULA = re.compile(r"\$\$(.+?)\$\$|\$(.+?)\$", re.DOTALL)
HELD = re.compile("\ue000(\\d+)\ue001")
"""A formula while the text around it is turned into HTML: its number between two characters of no script."""
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


def html(text: str) -> str:
    """Paragraphs, lists and tables."""
    return _with_formulas(text, _MARKDOWN.render)


def inline(text: str) -> str:
    """One line, without a paragraph around it."""
    return _with_formulas(text, _MARKDOWN.renderInline)


def _with_formulas(text: str, render: Callable[[str], str]) -> str:
    kept: list[str] = []

    def hold(match: re.Match[str]) -> str:
        kept.append(_mathml(match))
        return f"\ue000{len(kept) - 1}\ue001"

    held = FORMULA.sub(hold, text)
    return HELD.sub(lambda match: kept[int(match[1])], render(held))


def _mathml(match: re.Match[str]) -> str:
    formula = match[1] or match[2]
    try:
        return str(converter.convert(formula, display="block" if match[1] else "inline"))
    except Exception:  # the library raises many kinds for what it does not know: LaTeX is readable too
        return f"<code>{escape(formula)}</code>"
