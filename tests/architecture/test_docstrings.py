"""Docstrings say something, and carry the fixed labels where a reader depends on them."""

import ast
import re

from tests.architecture.source_tree import Module, definitions, imported_names, mentions, modules, parse

STARTS_A_THREAD = {"threading.Thread", "threading.Timer", "concurrent.futures.ThreadPoolExecutor"}
CODEC = re.compile(
    r"foxtrot/adapter/\w+/(codec|\w+_codec)\.py|foxtrot/exchange/wire/(?!.*(connection|endpoint|venue_side|message_types)\.py).*\.py"
)
"""Files that speak a venue's language; what only carries calls and connections about is Foxtrot's own."""


def undocumented(module: Module) -> list[str]:
    """Public things whose docstring is missing or is a single word."""
    found = []
    if len((ast.get_docstring(module.tree) or "").split()) < 2:
        found.append(module.path)
    functions = {name for name, node in definitions(module) if not isinstance(node, ast.ClassDef)}
    for name, node in definitions(module):
        private = any(part.startswith("_") for part in name.split("."))
        if private:
            continue
        overrides = any("override" in ast.unparse(decorator) for decorator in node.decorator_list)
        local = any(name.rsplit(".", depth)[0] in functions for depth in range(1, name.count(".") + 1))
        if overrides or local:
            continue
        if len((ast.get_docstring(node) or "").split()) < 2 and not _is_overload(node):
            found.append(f"{module.path}:{name}")
    return found


def _is_overload(node: ast.AST) -> bool:
    return any(
        ast.unparse(decorator).endswith(("overload", ".setter")) for decorator in getattr(node, "decorator_list", [])
    )


def threads_unnamed(module: Module) -> list[str]:
    """Classes that start a thread, or are one, without a `Thread:` line in their docstring."""
    names = imported_names(module.tree)
    if not STARTS_A_THREAD & set(names.values()) and not {"threading", "concurrent.futures"} & set(names.values()):
        return []
    return [
        f"{module.path}:{name}"
        for name, node in definitions(module)
        if isinstance(node, ast.ClassDef)
        and any(what in STARTS_A_THREAD for what, _ in mentions(node, names))
        and "Thread:" not in (ast.get_docstring(node) or "")
    ]


def sources_unnamed(module: Module) -> list[str]:
    """Public functions of a codec that do not say which document they follow."""
    if not CODEC.fullmatch(module.path):
        return []
    return [
        f"{module.path}:{name}"
        for name, node in definitions(module)
        if isinstance(node, ast.FunctionDef)
        and not any(part.startswith("_") for part in name.split("."))
        and "Source:" not in (ast.get_docstring(node) or "")
    ]


def test_every_public_thing_has_a_docstring_that_says_something() -> None:
    assert [name for module in modules() for name in undocumented(module)] == []


def test_every_class_that_starts_a_thread_names_it() -> None:
    assert [name for module in modules() for name in threads_unnamed(module)] == []


def test_every_public_codec_function_names_its_source() -> None:
    assert [name for module in modules() for name in sources_unnamed(module)] == []


def test_empty_docstrings_are_caught() -> None:
    text = '"""A module of one function."""\ndef f():\n    """F."""\n    def inner(): pass\nclass C:\n    def _p(self): pass\n'
    assert undocumented(parse("a.py", text)) == ["a.py:f", "a.py:C"]


def test_an_unnamed_thread_is_caught() -> None:
    text = 'from threading import Thread as T\nclass Owner:\n    """Owns."""\n    def go(self): T().start()\n'
    assert threads_unnamed(parse("a.py", text)) == ["a.py:Owner"]


def test_a_codec_function_without_a_source_is_caught() -> None:
    text = 'def tick(raw):\n    """A tick."""\ndef depth(raw):\n    """A book.\n\n    Source: x\n    """\n'
    path = "foxtrot/adapter/binance/codec.py"
    assert sources_unnamed(parse(path, text)) == [f"{path}:tick"]
