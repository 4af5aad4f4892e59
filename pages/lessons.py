"""Lessons: text at the left, the real page at the right; predict, see what was measured, try it."""

from app.address import layout
from app.lessons import overview
from app.words import _

TITLE, ICON, PLACE = "Lessons", "school", 5

overview.begin_link()
layout.page_head(
    _("What would you like to understand?"),
    _(
        "A lesson stands beside the real pages. Say first what you expect, then see what was measured, then"
        " try it yourself."
    ),
)
overview.show()
layout.page_foot()
