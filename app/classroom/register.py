"""What is kept of classes: one SQLite file under FEINT_HOME, which many sessions write at once.

Nobody has an account. A class has a public code and a teacher's secret, of which only a hash is kept; a
student has an alias. A class is deleted with all its work DAYS days after it began, or as many as it was
begun for: when a server starts, and whenever anybody looks.
"""

import hashlib
import hmac
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from app.words import _
from engine.errors import FeintError
from engine.home import home, make_home, writing

FILE = "classroom.sqlite"
DAYS = 30
"""How long the work of a class is kept, unless it is begun for another time."""
LONGEST_CODE, LONGEST_ALIAS, LONGEST_ANSWER, MOST = 12, 24, 60, 200
"""Characters of a code or secret, of an alias, of an answer, and students of a class, at most."""
TABLES = """
create table if not exists classes (
  code text primary key, secret text not null, made real not null, lesson text not null default '',
  part integer not null default 1, sent integer not null default 0, frozen integer not null default 0,
  held integer not null default 0, version integer not null default 0);
create table if not exists students (
  token text primary key, code text not null references classes on delete cascade, alias text not null,
  lesson text not null default '', part integer not null default 0, unique (code, alias));
create table if not exists answers (
  token text not null references students on delete cascade, lesson text not null, part integer not null,
  kind text not null, said text not null, at real not null, primary key (token, lesson, part, kind));
create table if not exists settings (
  code text primary key references classes on delete cascade, days integer not null,
  address text not null default '');
"""
KEPT = "coalesce((select days from settings where settings.code = classes.code), ?)"
TOO_OLD = f"made < ? - 86400 * {KEPT}"


class ClassError(FeintError):
    """Something that a class refuses; the message says what to do."""


@dataclass(frozen=True)
class State:
    """What a teacher has set: where everybody was `sent` (counted), to the `address` of a page or, where it
    is empty, to a step; whether the lesson is `frozen`, whether what was measured is `held` back. `version`
    grows with every change.
    """

    code: str
    lesson: str
    part: int
    sent: int
    frozen: bool
    held: bool
    version: int
    address: str = ""


@dataclass(frozen=True)
class Student:
    """A student of a class: alias, and where in a lesson."""

    token: str
    code: str
    alias: str
    lesson: str
    part: int


@dataclass(frozen=True)
class Said:
    """One answer: who, where, what."""

    alias: str
    lesson: str
    part: int
    kind: str
    said: str


def begin(code: str, secret: str, days: int = DAYS) -> None:
    """Make a class known, unless it is already, which is kept so many days."""
    with _written() as base:
        base.execute(
            "insert or ignore into classes (code, secret, made) values (?, ?, ?)",
            (tidy_code(code), _hash(code, secret), time.time()),
        )
        base.execute("insert or ignore into settings (code, days) values (?, ?)", (tidy_code(code), days))


def days(code: str) -> int:
    """How many days a class is kept after it began."""
    with _read() as base:
        row = base.execute(f"select {KEPT} from classes where code = ?", (DAYS, tidy_code(code))).fetchone()
    return DAYS if row is None else int(row[0])


def forget_old() -> None:
    """Delete what is too old, where there is anything."""
    if (home() / FILE).is_file():
        with _read():
            pass  # which does it


def is_teacher(code: str, secret: str) -> bool:
    """Whether a secret is that of the class."""
    with _read() as base:
        row = base.execute("select secret from classes where code = ?", (tidy_code(code),)).fetchone()
    return row is not None and hmac.compare_digest(row[0], _hash(code, secret))


def state(code: str) -> State | None:
    """What the teacher of a class has set; None where there is no such class (any more)."""
    with _read() as base:
        row = base.execute(
            "select code, lesson, part, sent, frozen, held, version, coalesce(address, '')"
            " from classes left join settings using (code) where code = ?",
            (tidy_code(code),),
        ).fetchone()
    if row is None:
        return None
    return State(row[0], row[1], row[2], row[3], bool(row[4]), bool(row[5]), row[6], row[7])


def send(code: str, lesson: str, part: int) -> None:
    """Send everybody to a step."""
    _change(code, "lesson = ?, part = ?, sent = sent + 1", lesson, part, address="")


def send_to(code: str, address: str) -> None:
    """Send everybody to a page of this app, whose address was read before."""
    _change(code, "sent = sent + 1", address=address)


def freeze(code: str, frozen: bool) -> None:
    """Nobody answers or goes on; or they may again."""
    _change(code, "frozen = ?", frozen)


def hold(code: str, held: bool) -> None:
    """What was measured is held back, or revealed."""
    _change(code, "held = ?", held)


def end(code: str) -> None:
    """Delete a class with all its work."""
    with _written() as base:
        base.execute("delete from classes where code = ?", (tidy_code(code),))


def join(code: str, alias: str) -> Student:
    """A new student of a class. Raises ClassError where the code or the alias is none."""
    code, name = tidy_code(code), tidy_alias(alias)
    if state(code) is None:
        raise ClassError(_("There is no class with this code: ask for the one on the board."))
    if not name:
        raise ClassError(_("An alias has at least one letter: choose any that your class may see."))
    with _written() as base:
        taken = {row[0] for row in base.execute("select alias from students where code = ?", (code,))}
        if len(taken) >= MOST:
            words = _("This class has {most} students already, which is the most.")
            raise ClassError(words.format(most=MOST))
        numbered = (f"{name[: LONGEST_ALIAS - 4]} {number}" for number in range(2, MOST + 2))
        name = name if name not in taken else next(each for each in numbered if each not in taken)
        token = secrets.token_hex(16)
        base.execute("insert into students (token, code, alias) values (?, ?, ?)", (token, code, name))
    return Student(token, code, name, "", 0)


def student(token: str) -> Student | None:
    """The student whose browser tab remembers this token."""
    with _read() as base:
        row = base.execute(
            "select token, code, alias, lesson, part from students where token = ?", (token,)
        ).fetchone()
    return None if row is None else Student(*row)


def stands(token: str, lesson: str, part: int) -> None:
    """A student has come to a step."""
    with _written() as base:
        base.execute("update students set lesson = ?, part = ? where token = ?", (lesson, part, token))


def answer(token: str, lesson: str, part: int, kind: str, said: str) -> None:
    """Keep an answer: of a prediction the first, of an exercise the last."""
    how = "nothing" if kind == "p" else "update set said = excluded.said, at = excluded.at"
    with _written() as base:
        base.execute(
            "insert into answers (token, lesson, part, kind, said, at) select token, ?, ?, ?, ?, ?"
            f" from students where token = ? on conflict do {how}",
            (lesson, part, kind, said[:LONGEST_ANSWER], time.time(), token),
        )


def students(code: str) -> list[Student]:
    """The students of a class, by alias."""
    with _read() as base:
        rows = base.execute(
            "select token, code, alias, lesson, part from students where code = ? order by alias",
            (tidy_code(code),),
        ).fetchall()
    return [Student(*row) for row in rows]


def answers(code: str, lesson: str = "") -> list[Said]:
    """What a class has answered, in one lesson or in all."""
    with _read() as base:
        rows = base.execute(
            "select alias, answers.lesson, answers.part, kind, said from answers join students using (token)"
            " where code = ? and (? = '' or answers.lesson = ?)"
            " order by alias, answers.lesson, answers.part, kind desc",
            (tidy_code(code), lesson, lesson),
        ).fetchall()
    return [Said(*row) for row in rows]


def tidy_code(code: str) -> str:
    """A code, or a secret, as it was meant: in capitals, without blanks and dashes."""
    return "".join(letter for letter in code[:200].upper() if letter.isalnum())[:LONGEST_CODE]


def tidy_alias(alias: str) -> str:
    """An alias on one line, without what cannot be printed, no longer than LONGEST_ALIAS."""
    printable = "".join(letter if letter.isprintable() else " " for letter in alias[:200])
    return " ".join(printable.split())[:LONGEST_ALIAS].strip()


def _change(code: str, what: str, *values: object, address: str | None = None) -> None:
    with _written() as base:
        if address is not None:
            base.execute(
                "insert into settings (code, days, address) select code, ?, ? from classes where code = ?"
                " on conflict (code) do update set address = excluded.address",
                (DAYS, address, tidy_code(code)),
            )
        base.execute(
            f"update classes set {what}, version = version + 1 where code = ?", (*values, tidy_code(code))
        )


def _hash(code: str, secret: str) -> str:
    return hashlib.sha256(f"{tidy_code(code)}/{tidy_code(secret)}".encode()).hexdigest()


@contextmanager
def _read() -> Iterator[sqlite3.Connection]:
    """A connection of one's own, so that threads share nothing."""
    file = make_home() / FILE
    with closing(sqlite3.connect(file, timeout=10, isolation_level=None)) as base:
        base.execute("pragma journal_mode = wal")
        base.execute("pragma foreign_keys = on")
        base.executescript(TABLES)
        now = (time.time(), DAYS)
        if base.execute(f"select 1 from classes where {TOO_OLD}", now).fetchone():
            base.execute(f"delete from classes where {TOO_OLD}", now)
        yield base


@contextmanager
def _written() -> Iterator[sqlite3.Connection]:
    """One transaction, in which nobody else writes. Raises DiskError where the disk refuses it."""
    with writing(home()), _read() as base:
        base.execute("begin immediate")
        try:
            yield base
        except BaseException:
            base.execute("rollback")
            raise
        base.execute("commit")
