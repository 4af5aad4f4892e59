"""Classroom: students join with a code under an alias; the teacher sees what they answer, and leads."""

from app.address import layout
from app.classroom import seat
from app.lessons import desk, join
from app.words import _

TITLE, ICON, PLACE = "Classroom", "groups", 85
UNDER = "Yours"

layout.page_head(
    _("What does the class expect?"),
    _(
        "Everybody says first what they expect; then all see what was measured. An alias and a code are"
        " enough."
    ),
)
code = seat.open_class()
if not code:
    join.closed()
elif seat.is_teacher(code):
    desk.show(code)
else:
    join.show(code)
layout.page_foot()
