"""Whether an answer is right: by what the lesson declares and what was measured, and by nothing else."""

from collections.abc import Mapping

from app.lessons.declared import Address, Choice, Exercise, LessonError, Number
from app.lessons.measured import Value
from app.words import _


def right_option(choice: Choice, found: Mapping[str, Value]) -> int:
    """Which option is the right one. Raises LessonError where what was measured fits none of them."""
    if choice.right:
        return choice.options.index(choice.right)
    if choice.largest or choice.smallest:
        numbers = [float(found[name]) for name in choice.largest or choice.smallest]
        return numbers.index(max(numbers) if choice.largest else min(numbers))
    value = found[choice.measured]
    if choice.bounds:
        return sum(float(value) >= bound for bound in choice.bounds)
    said = str(value) if isinstance(value, str) else f"{value:g}"
    if said not in choice.options:
        words = _("{question!r} has no option {option!r}, which is what was measured.")
        raise LessonError(words.format(question=choice.question, option=said))
    return choice.options.index(said)


def accepts(question: Exercise, given: str, found: Mapping[str, Value]) -> bool:
    """Whether an answer, as the address keeps it, is right: an option's number, a number, a parameter."""
    if isinstance(question, Choice):
        return given == str(right_option(question, found))
    if isinstance(question, Address) and question.equals:
        return given == question.equals
    number = _number(given)
    return number is not None and abs(number - float(found[question.measured])) <= question.tolerance + 1e-9


def elsewhere(question: Address, address: Mapping[str, str]) -> str:
    """The first parameter of the address that is not where the exercise is about, or ""."""
    return next((name for name, said in question.where.items() if address.get(name) != said), "")


def right_answer(question: Exercise, found: Mapping[str, Value]) -> str:
    """An answer that is accepted, as the address keeps it."""
    if isinstance(question, Choice):
        return str(right_option(question, found))
    if isinstance(question, Number) or question.measured:
        return f"{float(found[question.measured]):.6g}"
    return question.equals


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None
