"""Lessons: text at the left, the real page at the right; predict, see what was measured, try it."""

from app.address import layout
from app.lessons import overview

TITLE, ICON, PLACE = "Lessons", "school", 5

overview.begin_link()
layout.page_head(
    "What would you like to understand?",
    "A lesson stands beside the real pages. Say first what you expect, then see what was measured, then try"
    " it yourself.",
)
overview.show()
layout.page_foot()
