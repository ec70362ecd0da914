"""The frame of the command line: where words go, what goes to stdout, and which status ends it."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from foxtrot import __version__
from foxtrot.app.verbs import strategies
from foxtrot.cli import VERBS, main, split_at_verb
from foxtrot.domain.errors import AdapterError


def only_object(text: str) -> dict[str, object]:
    """Return the one JSON object a text is, refusing what RFC 8259 does not have."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    assert text.count("\n") == 1
    found = json.loads(text, parse_constant=refuse)
    assert isinstance(found, dict)
    return found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOXTROT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def replace_run(monkeypatch: pytest.MonkeyPatch, run: object) -> None:
    """Let the verb `strategies` do something else: the frame is what is tested here."""
    monkeypatch.setattr(strategies, "run", run)


def test_without_a_verb_every_verb_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    said = capsys.readouterr().out
    assert all(f"  {name} " in said and verb.summary in said for name, verb in VERBS.items())


@pytest.mark.parametrize("name", VERBS)
def test_the_help_of_each_verb_has_an_example_that_names_it(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    said = capsys.readouterr().out
    assert "example:\n" in said
    assert f"foxtrot {name}" in said.partition("example:\n")[2]


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"foxtrot {__version__}\n"


@pytest.mark.parametrize("line", [["--version", "--json"], ["--json", "--version"]])
def test_with_json_the_version_is_an_object(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line) == 0
    assert only_object(capsys.readouterr().out) == {"version": __version__}


def test_help_is_text_and_status_0_with_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", "--help"]) == 0
    assert main(["backtest", "--json", "--help"]) == 0
    assert "usage: foxtrot" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["bactest"], "foxtrot: no verb bactest; did you mean backtest?"),
        (["xyzzy"], "foxtrot: no verb xyzzy; there are: demo, run, "),
        (["config", "shw"], "did you mean show? (see foxtrot config --help)"),
        (["backtest", "--stratgy", "x"], "unrecognized arguments: --stratgy; did you mean --strategy? (see foxtrot backtest --help)"),
        (["demo", "--seconds", "-1"], "argument --seconds: -1 must be seconds above 0, such as 30 (see foxtrot demo --help)"),
        (["demo", "--seconds", "1e300"], "argument --seconds: 1e+300 must be at most 31,536,000 seconds, a year (see foxtrot demo --help)"),
        (["demo", "--seconds", "nan"], "argument --seconds: nan must be a finite number (see foxtrot demo --help)"),
        (["run"], "the following arguments are required: CONFIG.toml (see foxtrot run --help)"),
        (["--hom", "x", "doctor"], "unrecognized arguments: --hom"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_one_line_on_stderr_and_status_2(
    line: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_with_json_a_failure_is_one_object_on_stdout_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "/no/such.toml", "--json"]) == 2
    said = capsys.readouterr()
    error = only_object(said.out)["error"]
    assert error == {"type": "ConfigError", "message": said.err.removeprefix("foxtrot: ").strip()}


def test_json_has_null_for_what_is_no_number_and_numbers_for_decimals(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from decimal import Decimal

    import numpy as np

    from foxtrot.app.verbs.outcome import Outcome
    from foxtrot.domain.enums import Side

    odd = {"a": float("nan"), "b": [float("inf"), Decimal("1.5")], "c": np.float64(2.5), "d": Side.BUY, "e": Path("x")}
    replace_run(monkeypatch, lambda arguments: Outcome(odd, ""))
    assert main(["strategies", "--json"]) == 0
    assert only_object(capsys.readouterr().out) == {"a": None, "b": [None, 1.5], "c": 2.5, "d": "buy", "e": "x"}


def test_what_a_verb_prints_goes_to_stderr_under_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from foxtrot.app.verbs.outcome import Outcome

    def chatty(arguments: object) -> Outcome:
        print("noise")
        return Outcome({"a": 1}, "text")

    replace_run(monkeypatch, chatty)
    assert main(["strategies", "--json"]) == 0
    said = capsys.readouterr()
    assert only_object(said.out) == {"a": 1}
    assert said.err == "noise\n"


def test_the_home_folder_is_the_options_before_or_after_the_verb_or_the_environments(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from foxtrot.app.verbs.outcome import Outcome

    seen: list[Path] = []

    def keep(arguments: SimpleNamespace) -> Outcome:
        seen.append(arguments.home)
        return Outcome({}, "")

    replace_run(monkeypatch, keep)
    other = str(tmp_path / "other")
    main(["strategies"])
    main(["--home", other, "strategies"])
    main(["strategies", "--home", other])
    main([f"--home={other}", "strategies"])
    assert seen == [home, tmp_path / "other", tmp_path / "other", tmp_path / "other"]


def test_the_verb_is_found_behind_options() -> None:
    assert split_at_verb(["--home", "x", "--json", "run", "a"]) == (["--home", "x", "--json"], "run", ["a"])
    assert split_at_verb(["--help"]) == (["--help"], "", [])
    assert split_at_verb(["--home"]) == (["--home"], "", [])


def test_an_unforeseen_failure_is_one_line_status_1_and_a_file_with_the_traceback(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(arguments: object) -> None:
        raise ZeroDivisionError("a\nb")

    replace_run(monkeypatch, fail)
    assert main(["strategies", "--json"]) == 1
    said = capsys.readouterr()
    path = home / "log" / "last_error.txt"
    assert said.err == f"foxtrot: ZeroDivisionError: a b (details in {path})\n"
    assert only_object(said.out) == {"error": {"type": "ZeroDivisionError", "message": "a b"}}
    assert "in fail" in path.read_text("utf-8")


def test_debug_shows_the_traceback_instead(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(arguments: object) -> None:
        raise AdapterError("binance", "-1", "no")

    replace_run(monkeypatch, fail)
    assert main(["strategies", "--debug"]) == 1
    assert "in fail" in capsys.readouterr().err
    assert not (home / "log").exists()


def test_an_interruption_is_status_1_without_a_traceback(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(arguments: object) -> None:
        raise KeyboardInterrupt

    replace_run(monkeypatch, interrupt)
    assert main(["strategies"]) == 1
    assert capsys.readouterr().err == "foxtrot: interrupted\n"


@pytest.mark.parametrize(("reconciled", "status"), [(True, 0), (False, 1)])
def test_the_demo_fails_when_exchange_and_platform_disagree(
    *, reconciled: bool, status: int, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run_demo(seconds: float, home: Path, *_: object) -> dict[str, object]:
        return {"reconciled": reconciled, "seconds": seconds}

    monkeypatch.setitem(sys.modules, "foxtrot.app.demo", SimpleNamespace(run_demo=run_demo))
    assert main(["demo", "--seconds", "2", "--json"]) == status
    assert only_object(capsys.readouterr().out) == {"reconciled": reconciled, "seconds": 2.0}


def test_help_loads_nothing_that_a_verb_needs() -> None:
    script = (
        "import sys, foxtrot.cli\nfoxtrot.cli.main(['--help'])\n"
        "heavy = {'numpy', 'loguru', 'rich', 'sqlalchemy', 'jinja2', 'foxtrot.strategy', 'foxtrot.exchange'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    line = f"{sys.executable} -m foxtrot strategies --json | true"
    ran = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert "Traceback" not in ran.stderr
    assert "Exception ignored" not in ran.stderr
