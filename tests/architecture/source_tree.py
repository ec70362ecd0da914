"""The source tree as the architecture tests read it: parsed once, never imported."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from weakref import WeakKeyDictionary

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "foxtrot"

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_DEFINITIONS: WeakKeyDictionary[ast.Module, tuple[tuple[str, Definition], ...]] = WeakKeyDictionary()
_USES: WeakKeyDictionary[ast.Module, tuple[tuple[str, int], ...]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Module:
    """One file of the package."""

    path: str
    text: str
    tree: ast.Module


@cache
def modules() -> tuple[Module, ...]:
    """Every Python file of the package, by path relative to the repository."""
    files = sorted(PACKAGE.rglob("*.py"))
    return tuple(parse(file.relative_to(REPOSITORY).as_posix(), file.read_text("utf-8")) for file in files)


def parse(path: str, text: str) -> Module:
    """A module from its text."""
    return Module(path, text, ast.parse(text, path))


def definitions(module: Module) -> tuple[tuple[str, Definition], ...]:
    """Every class and function with its dotted name inside the module, outer ones first; found once per tree."""
    if module.tree not in _DEFINITIONS:
        _DEFINITIONS[module.tree] = tuple(_definitions(module.tree, ""))
    return _DEFINITIONS[module.tree]


def _definitions(node: ast.AST, prefix: str) -> Iterator[tuple[str, Definition]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Definition):
            yield prefix + child.name, child
            yield from _definitions(child, f"{prefix}{child.name}.")
        else:
            yield from _definitions(child, prefix)


def docstring_lines(node: Definition) -> int:
    """How many lines the docstring takes."""
    if ast.get_docstring(node, clean=False) is None:
        return 0
    first = node.body[0]
    return (first.end_lineno or first.lineno) - first.lineno + 1


def length(node: Definition) -> int:
    """Lines from `def` or `class` to the last statement, the docstring not counted."""
    return (node.end_lineno or node.lineno) - node.lineno + 1 - docstring_lines(node)


def imported_names(tree: ast.Module) -> dict[str, str]:
    """What each local name bound by an import stands for, dotted: `{"monotonic": "time.monotonic"}`."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def uses(module: Module) -> tuple[tuple[str, int], ...]:
    """Every imported thing that the module uses, with its full dotted name and line; found once per tree."""
    if module.tree not in _USES:
        _USES[module.tree] = tuple(mentions(module.tree, imported_names(module.tree)))
    return _USES[module.tree]


def mentions(tree: ast.AST, names: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Every imported thing that is used, with its full dotted name and line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            dotted = _dotted(node)
            head, _, rest = dotted.partition(".")
            if head in names:
                yield names[head] + (f".{rest}" if rest else ""), node.lineno


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = _dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return ""
