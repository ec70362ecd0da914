"""Bad input: each ends with status 2, one clear line on stderr, no traceback, and nothing on stdout."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAD = "open_time,open,high,low,close,volume\n"
MINUTE = 60_000
START = 1_700_000_000_000 - 1_700_000_000_000 % MINUTE


def rows(count: int = 60) -> list[str]:
    return [f"{START + MINUTE * i},100.00,101.00,99.00,100.50,3" for i in range(count)]


def write(path: Path, lines: list[str], head: str = HEAD) -> Path:
    path.write_text(head + "\n".join(lines) + "\n")
    return path


def foxtrot(tmp_path: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "foxtrot", *arguments]
    environment = {**os.environ, "FOXTROT_HOME": str(tmp_path / "home")}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=60)


def backtest(tmp_path: Path, bars: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return foxtrot(tmp_path, "backtest", "--strategy", "double_ma", "--bars", str(bars), *arguments)


def assert_refused(ran: "subprocess.CompletedProcess[str]", *words: str) -> None:
    assert ran.returncode == 2, (ran.returncode, ran.stderr)
    assert ran.stdout == ""
    line = ran.stderr.strip()
    assert "\n" not in line
    assert "Traceback" not in line
    missing = [word for word in words if word.lower() not in line.lower()]
    assert not missing, line


def test_a_missing_file(tmp_path: Path) -> None:
    assert_refused(backtest(tmp_path, tmp_path / "nowhere.csv"), "nowhere.csv", "exist")


def test_nan(tmp_path: Path) -> None:
    lines = rows()
    lines[7] = lines[7].replace("100.50", "nan")
    assert_refused(backtest(tmp_path, write(tmp_path / "b.csv", lines)), "b.csv", "9", "nan")


def test_time_going_backwards(tmp_path: Path) -> None:
    lines = rows()
    lines[5], lines[6] = lines[6], lines[5]
    assert_refused(backtest(tmp_path, write(tmp_path / "b.csv", lines)), "b.csv", "time")


def test_a_required_column_missing_lists_the_columns_found(tmp_path: Path) -> None:
    bad = write(tmp_path / "b.csv", rows(), HEAD.replace("close", "last"))
    assert_refused(backtest(tmp_path, bad), "close", "last", "high", "open_time")


def test_an_ambiguous_column_lists_the_columns_found(tmp_path: Path) -> None:
    bad = write(tmp_path / "b.csv", [f"{line},{START}" for line in rows()], HEAD.strip() + ",timestamp\n")
    assert_refused(backtest(tmp_path, bad), "open_time", "timestamp")


def test_extra_columns_are_ignored_and_named_once(tmp_path: Path) -> None:
    good = write(tmp_path / "b.csv", [f"{line},7" for line in rows()], HEAD.strip() + ",mood\n")
    ran = backtest(tmp_path, good, "--json")
    assert ran.returncode == 0, ran.stderr
    assert sum("mood" in warning for warning in json.loads(ran.stdout)["warnings"]) == 1


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("")
    assert_refused(backtest(tmp_path, tmp_path / "b.csv"), "b.csv", "empty")


def test_a_truncated_gzip(tmp_path: Path) -> None:
    whole = gzip.compress((HEAD + "\n".join(rows(500))).encode())
    (tmp_path / "b.csv.gz").write_bytes(whole[: len(whole) // 2])
    assert_refused(backtest(tmp_path, tmp_path / "b.csv.gz"), "b.csv.gz")


def test_an_unknown_strategy_names_the_nearest(tmp_path: Path) -> None:
    bars = write(tmp_path / "b.csv", rows())
    ran = foxtrot(tmp_path, "backtest", "--strategy", "duble_ma", "--bars", str(bars))
    assert_refused(ran, "duble_ma", "did you mean double_ma")


def test_an_unknown_parameter_names_the_nearest(tmp_path: Path) -> None:
    bars = write(tmp_path / "b.csv", rows())
    assert_refused(backtest(tmp_path, bars, "--param", "fsat=3"), "fsat", "did you mean fast")


def test_a_parameter_of_the_wrong_type(tmp_path: Path) -> None:
    bars = write(tmp_path / "b.csv", rows())
    assert_refused(backtest(tmp_path, bars, "--param", "fast=quick"), "fast", "whole number", "quick")


def test_a_price_off_the_grid(tmp_path: Path) -> None:
    lines = rows()
    lines[3] = lines[3].replace("100.50", "100.53")
    assert_refused(backtest(tmp_path, write(tmp_path / "b.csv", lines), "--tick", "0.05"), "100.53", "0.05")


def test_a_misspelt_configuration_key_names_the_nearest(tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text('[platform]\nbase_curency = "USDT"\n')
    assert_refused(foxtrot(tmp_path, "run", str(config)), "base_curency", "did you mean", "base_currency")


def test_a_wrong_setting_of_an_adapter_is_told_with_its_line_by_run_and_a_strategy_by_backtest(tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text(
        '[account.a]\nadapter = "simulated"\n[account.a.settings]\nagnts = 3\n\n'
        '[strategy.s]\nclass = "duble_ma"\naccount = "a"\nsymbols = ["BTCUSDT.BINANCE"]\n'
    )
    told = "c.toml:4: [account.a.settings] setting agnts is not known; did you mean agents?"
    ran = foxtrot(tmp_path, "run", str(config))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert told in ran.stderr.splitlines()[-1]
    assert "Traceback" not in ran.stderr
    bars = write(tmp_path / "b.csv", rows())
    told = "c.toml:7: [strategy.s] strategy duble_ma is not known; did you mean double_ma?"
    assert_refused(foxtrot(tmp_path, "backtest", str(config), "--bars", str(bars)), told)


def test_with_json_the_fault_is_an_object_on_stdout(tmp_path: Path) -> None:
    ran = backtest(tmp_path, tmp_path / "nowhere.csv", "--json")
    assert ran.returncode == 2
    fault = json.loads(ran.stdout)["error"]
    assert fault["type"]
    assert "nowhere.csv" in fault["message"]


@pytest.mark.parametrize("verb", ["bactest", "dmeo"])
def test_an_unknown_verb_names_the_nearest(tmp_path: Path, verb: str) -> None:
    assert_refused(foxtrot(tmp_path, verb), verb, "did you mean")
