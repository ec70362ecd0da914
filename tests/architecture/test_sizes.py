"""Files, classes and functions stay small enough to read in one go."""

from tests.architecture.source_tree import Module, definitions, length, modules, parse

FILE_LINES = 400
CLASS_LINES = 250
FUNCTION_LINES = 35

# What may be longer, and why: "path" for a file, "path:Name" for a class or function.
EXCEPTIONS: dict[str, str] = {}


def too_long(module: Module) -> list[str]:
    """What of the module is over its ceiling."""
    found = []
    lines = module.text.count("\n")
    if lines > FILE_LINES:
        found.append((module.path, lines, FILE_LINES))
    for name, node in definitions(module):
        ceiling = CLASS_LINES if type(node).__name__ == "ClassDef" else FUNCTION_LINES
        if length(node) > ceiling:
            found.append((f"{module.path}:{name}", length(node), ceiling))
    return [f"{what}: {size} lines, ceiling {ceiling}" for what, size, ceiling in found if what not in EXCEPTIONS]


def test_no_file_class_or_function_is_over_its_ceiling() -> None:
    assert [line for module in modules() for line in too_long(module)] == []


def test_a_file_a_class_and_a_function_over_the_ceiling_are_each_named() -> None:
    function = "def long():\n" + "    a = 1\n" * FUNCTION_LINES
    class_ = "class Long:\n" + "    a = 1\n" * CLASS_LINES
    assert too_long(parse("a.py", function)) == ["a.py:long: 36 lines, ceiling 35"]
    assert too_long(parse("a.py", class_)) == ["a.py:Long: 251 lines, ceiling 250"]
    assert too_long(parse("a.py", "a = 1\n" * 401)) == ["a.py: 401 lines, ceiling 400"]


def test_a_docstring_does_not_count() -> None:
    documented = 'def short():\n    """One.\n' + "\n" * 50 + '    """\n' + "    a = 1\n" * (FUNCTION_LINES - 1)
    assert too_long(parse("a.py", documented)) == []


def test_every_exception_still_exists_and_has_a_reason() -> None:
    known = {module.path for module in modules()}
    known |= {f"{module.path}:{name}" for module in modules() for name, _ in definitions(module)}
    assert [what for what, reason in EXCEPTIONS.items() if what not in known or len(reason) < 15] == []
