"""A report of what was looked at: views kept in the browser, saved as one HTML file and as a notebook."""

from collections.abc import Mapping

from app import components

_mount = components.register("report")


def report(title: str, commands: Mapping[str, str], versions: str) -> None:
    """The buttons at a page's foot. `commands` are what makes the page's numbers again, by language."""
    _mount(data={"title": title, "commands": dict(commands), "versions": versions}, key="report")
