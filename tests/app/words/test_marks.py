"""How texts are marked in the code: said anew for whoever looks, and looked up before values go in."""

import ast
import re
from collections.abc import Iterator

import pytest

from app.words import LOCALE

ROOT = LOCALE.parents[1]
FIELD = re.compile(r"\{(\w+)(?:![rsa])?(?::[^{}]*)?\}")
SCRIPTS = (ROOT / "pages", ROOT / "app" / "main.py")
"""What is run anew for whoever looks, so that texts may be said at its top."""


def says(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("_", "n_")


def for_everybody(tree: ast.Module) -> Iterator[ast.AST]:
    """What is run once: a file's top level, defaults, decorators, functions whose answers are kept, but
    for those kept by language."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.FunctionDef):
            kept = any("cache" in ast.unparse(one) for one in node.decorator_list)
            kept &= all(given.arg != "language" for given in node.args.args)
            waiting += [*node.decorator_list, node.args, *(node.body if kept else ())]
        elif isinstance(node, ast.Lambda):
            waiting.append(node.args)
        else:
            waiting += ast.iter_child_nodes(node)


def lacking(node: ast.AST) -> bool:
    """Whether a text is given fewer values than it has fields."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Call(args=args) as call, attr="format"), keywords=given):
            texts = [part.value for part in args if isinstance(part, ast.Constant)]
            wanted = {name for text in texts for name in FIELD.findall(str(text))}
            names = {each.arg for each in given}
            return says(call) and None not in names and bool(wanted - names)
    return False


def misused(source: str, script: bool = False) -> list[str]:
    """Where a text is fixed for everybody, made up before it is looked up, or lacks a value."""
    tree, found = ast.parse(source), []
    if not script:
        found += [f"said once: {ast.unparse(node)}" for node in for_everybody(tree) if says(node)]
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and says(node)
            and any(isinstance(one, ast.JoinedStr) for one in node.args)
        ):
            found.append(f"made up: {ast.unparse(node)}")
        if lacking(node):
            found.append(f"lacks a value: {ast.unparse(node)}")
    return found


def test_every_text_is_said_for_whoever_looks() -> None:
    files = [*sorted((ROOT / "app").rglob("*.py")), *sorted((ROOT / "pages").glob("*.py"))]
    found = {
        str(file.relative_to(ROOT)): wrong
        for file in files
        if (wrong := misused(file.read_text("utf-8"), file in SCRIPTS or file.parent in SCRIPTS))
    }
    assert not found


@pytest.mark.parametrize(
    "source",
    [
        "A = _('x')",
        "def f(a=_('x')): pass",
        "@st.cache_data\ndef f(a):\n    return _('x')",
        "def f(a): return _(f'{a} x')",
        "def f(a): return _('{a} {b} x').format(b=a)",
    ],
)
def test_a_text_that_is_said_wrongly_is_seen(source: str) -> None:
    assert misused(source)
    assert not misused("@cache\ndef f(a, language): return _('{a} x').format(a=a)")
