"""Buttons that save a Plotly figure of the page as SVG and PNG, made in the browser."""

import re

from app import components

_mount = components.register("figure")


def figure(of: str, name: str) -> None:
    """Two buttons for the figure whose widget has the key `of`; the files are called `name`."""
    _mount(data={"of": css_class(of), "name": name}, key=f"{of}/figure")


def css_class(key: str) -> str:
    """The class that Streamlit gives the container of a widget with this key."""
    return "st-key-" + re.sub(r"[^a-zA-Z0-9_-]", "-", key)
