"""The lessons that are there: those that ship, and a teacher's own under FEINT_HOME/lessons."""

from contextlib import suppress
from functools import cache
from pathlib import Path

from app.address import links
from app.lessons.declared import Lesson, LessonError
from app.lessons.parse import parse
from app.words import ENGLISH, _
from app.words import languages as spoken
from engine.home import home

SHIPPED = links.ROOT / "assets" / "lessons"


def folders() -> list[Path]:
    """Where lessons lie; one's own of the same name comes first."""
    return [home() / "lessons", SHIPPED]


def names() -> list[str]:
    """The lessons' names, in their order. Those that cannot be read come last."""
    files = {file.stem: file for folder in reversed(folders()) for file in folder.glob("*.md")}
    found = [name for name in files if "." not in name]
    return sorted(found, key=lambda name: (_place(name), name))


def find(name: str, language: str = ENGLISH) -> Lesson:
    """A lesson in a language, in English where it is not there in that. Raises LessonError."""
    file = _file(name, language) or _file(name, language := ENGLISH)
    if file is None or name not in names():
        if not (there := ", ".join(names())):
            raise LessonError(_("There is no lesson {name!r}, and no other.").format(name=name))
        words = _("There is no lesson {name!r}; there are {there}.")
        raise LessonError(words.format(name=name, there=there))
    return _read(file, name, language, file.stat().st_mtime_ns)


def after(lesson: Lesson) -> Lesson | None:
    """The lesson after this one, in its language; None after the last, and where it cannot be read."""
    every = names()
    following = every[every.index(lesson.name) + 1 :] if lesson.name in every else []
    with suppress(LessonError):
        return find(following[0], lesson.language) if following else None
    return None


def languages(name: str) -> list[str]:
    """The languages in which a lesson is there."""
    return [said for said in spoken() if _file(name, said) is not None]


def _file(name: str, language: str) -> Path | None:
    stem = name if language == ENGLISH else f"{name}.{language}"
    return next((folder / f"{stem}.md" for folder in folders() if (folder / f"{stem}.md").is_file()), None)


def _place(name: str) -> float:
    file = _file(name, ENGLISH)
    try:
        return (
            float("inf") if file is None else _read(file, name, ENGLISH, file.stat().st_mtime_ns).head.place
        )
    except LessonError:
        return float("inf")


@cache
def _read(file: Path, name: str, language: str, changed: int) -> Lesson:
    """Read again where the file has `changed`."""
    return parse(_text(file), name, language, file.name)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        words = _("{file} is not text in UTF-8: save it as such.")
        raise LessonError(words.format(file=file.name)) from None
