"""What the documents show works: code blocks compile, links lead somewhere, blocks marked `<!-- ci -->` run.

A block whose line above is `<!-- ci -->` is run by `sh` in the repository with a home of its own; `<!-- ci slow -->`
runs it only with the slow tests; `<!-- skip: reason -->` leaves a block alone.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture.source_tree import REPOSITORY

FENCE = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*?) -->\n+)?^(?P<pad> *)```(?P<language>\w+)[^\n]*\n(?P<code>.*?)^ *```", re.M | re.S
)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
SHELL = {"sh", "bash", "shell"}


@dataclass(frozen=True)
class Block:
    """A fenced code block of a document."""

    place: str
    mark: str
    language: str
    code: str


def documents() -> list[Path]:
    """README, changelog and everything under docs."""
    top = [REPOSITORY / name for name in ("README.md", "CHANGELOG.md") if (REPOSITORY / name).exists()]
    return top + sorted((REPOSITORY / "docs").rglob("*.md"))


def blocks(place: str, text: str) -> list[Block]:
    """The fenced blocks of a text that name their language."""
    found = []
    for match in FENCE.finditer(text):
        line = text.count("\n", 0, match.start("language")) + 1
        pad = len(match["pad"])
        code = "".join(row[pad:] if row[:pad].isspace() else row for row in match["code"].splitlines(keepends=True))
        found.append(Block(f"{place}:{line}", match["mark"] or "", match["language"], code))
    return found


def fault(block: Block) -> str:
    """What is wrong with the block's syntax, or nothing."""
    if block.mark.startswith("skip:"):
        return ""
    try:
        if block.language == "python":
            compile(block.code, block.place, "exec", dont_inherit=True)
        elif block.language == "toml":
            tomllib.loads(block.code)
        elif block.language == "json":
            json.loads(block.code)
        elif block.language in SHELL:
            checked = subprocess.run(["bash", "-n"], input=block.code, capture_output=True, text=True, check=False)
            return f"{block.place}: {checked.stderr.strip()}" if checked.returncode else ""
    except (SyntaxError, ValueError) as error:
        return f"{block.place}: {error}"
    return ""


ALL_BLOCKS = [
    block for file in documents() for block in blocks(file.relative_to(REPOSITORY).as_posix(), file.read_text("utf-8"))
]
RUNNABLE = [
    pytest.param(block, id=block.place, marks=[pytest.mark.slow] if "slow" in block.mark else [])
    for block in ALL_BLOCKS
    if block.language in SHELL and block.mark.split()[:1] == ["ci"]
]


def test_every_code_block_compiles() -> None:
    assert [text for text in map(fault, ALL_BLOCKS) if text] == []


def test_every_relative_link_leads_to_a_file() -> None:
    dead = [
        f"{file.relative_to(REPOSITORY)}: {target}"
        for file in documents()
        for target in LINK.findall(file.read_text("utf-8"))
        if not (file.parent / target).exists()
    ]
    assert dead == []


@pytest.mark.parametrize("block", RUNNABLE)
def test_a_marked_block_runs(block: Block, tmp_path: Path) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "HOME": str(tmp_path), "FOXTROT_HOME": str(tmp_path / "foxtrot")}
    environment["TMPDIR"] = str(tmp_path)
    ran = subprocess.run(
        ["sh", "-eu", "-c", block.code], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, f"{block.place}\n{ran.stdout[-2000:]}\n{ran.stderr[-2000:]}"


def test_blocks_that_do_not_compile_are_caught() -> None:
    text = "<!-- ci -->\n```sh\nif true; then\n```\n\n```python\ndef f(:\n```\n```toml\na = \n```\n```json\n{}\n```\n"
    found = blocks("a.md", text)
    assert [(block.language, block.mark) for block in found] == [
        ("sh", "ci"),
        ("python", ""),
        ("toml", ""),
        ("json", ""),
    ]
    assert [bool(fault(block)) for block in found] == [True, True, True, False]
