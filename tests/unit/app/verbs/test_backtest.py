"""The verb backtest: what its arguments do to the run, and each bad input as one clear line with status 2."""

import gzip
import json
from pathlib import Path

import pytest

from foxtrot.backtest.details import read_details
from foxtrot.cli import main

FAST = ("--strategy", "double_ma", "--param", "fast=2", "--param", "slow=4")
KEYS = {
    "bars", "orders", "trades", "start_balance", "end_balance", "total_return", "max_drawdown", "sharpe", "fees", "elapsed_s",
    "bars_per_s", "state_hash",
}  # fmt: skip
CONFIG = """\
[account.paper]
adapter = "simulated"
[strategy.one]
class = "double_ma"
account = "paper"
symbols = ["BTCUSDT.BINANCE"]
params = { fast = 2, slow = 4 }
[strategy.two]
class = "double_ma"
account = "paper"
symbols = ["ETHUSDT.BINANCE"]
params = { fast = 3, slow = 5 }
"""


def test_it_gives_the_figures_and_the_same_hash_twice(run, bars: Path) -> None:
    status, first = run("backtest", *FAST, "--bars", bars)
    assert status == 0
    assert first.keys() >= KEYS
    assert (first["bars"], first["symbols"]) == (40, ["BTCUSDT.HISTORY"])
    assert first["trades"] == 2
    # Bought at the open after the fourth close (103); turned short at the open after the averages crossed (118); marked at 101.
    assert first["end_balance"] == 1_000_000 + (118 - 103) + (118 - 101)
    assert run("backtest", *FAST, "--bars", bars)[1]["state_hash"] == first["state_hash"]


TALKER = """\
from foxtrot.api import Strategy

class Talker(Strategy):
    def on_init(self):
        self.heard = 0
    def on_bar(self, bar):
        self.heard += 1
        if self.heard == 2:
            self.log("second bar")
        if self.heard == 3:
            raise ValueError("third\\nbar")
"""


def test_what_a_strategy_logs_and_why_it_failed_is_on_stderr_at_the_simulated_time(
    bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "talker.py").write_text(TALKER, "utf-8")
    assert main(["backtest", "--strategy", "talker.py", "--bars", str(bars), "--json"]) == 1
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert lines[0] == "2025-01-01T00:02:00.000000Z INFO     strategy_id=talker second bar"
    assert lines[1].startswith("2025-01-01T00:03:00.000000Z ERROR    strategy_id=talker ")
    assert "third bar" in lines[1]
    assert [line for line in lines if "ERROR" in line] == lines[1:2]
    assert out.count("\n") == 1


def test_an_account_that_cannot_pay_is_told_why_nothing_filled(run, bars: Path) -> None:
    status, result = run("backtest", *FAST, "--bars", bars, "--product", "spot", "--balance", "50", "--fee", "0.0002")
    assert (status, result["trades"]) == (0, 0)
    assert result["refused"] == {"account.insufficient_balance": 1}
    assert result["assumptions"]["fees"] == "0.02 % maker / taker of notional"
    assert result["warnings"][0].startswith("Zero latency: ")


def test_free_trading_is_warned_of_in_the_terminal(bars: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", *FAST, "--bars", str(bars)]) == 0
    assert "Zero cost: " in capsys.readouterr().err


def test_a_strategy_file_that_ends_the_program_is_one_line_and_status_2(run, bars: Path, tmp_path: Path) -> None:
    (tmp_path / "quits.py").write_text("import sys\nsys.exit(0)\n", "utf-8")
    status, result = run("backtest", "--strategy", "quits.py", "--bars", bars)
    assert (status, result["error"]["type"]) == (2, "ConfigError")
    assert "SystemExit: 0" in result["error"]["message"]


def test_costs_latency_and_product_change_the_result(run, bars: Path) -> None:
    free = run("backtest", *FAST, "--bars", bars)[1]
    assert run("backtest", *FAST, "--bars", bars, "--fee", "0.001")[1]["fees"] == pytest.approx(0.001 * (103 + 2 * 118))
    slipped = run("backtest", *FAST, "--bars", bars, "--slippage", "0.5")[1]
    assert slipped["end_balance"] == float(free["end_balance"]) - 3 * 0.5
    spot = run("backtest", *FAST, "--bars", bars, "--product", "spot")[1]
    assert spot["end_balance"] == 1_000_000 + 118 - 103
    late = run("backtest", *FAST, "--bars", bars, "--latency-ms", "90000")[1]
    assert late["state_hash"] != free["state_hash"]


def test_a_configuration_runs_its_strategies_on_the_files_of_their_symbols(run, bars: Path, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(CONFIG, "utf-8")
    status, result = run("backtest", "c.toml", "--bars", f"BTCUSDT={bars}", "--bars", f"ETHUSDT.BINANCE={bars}")
    assert status == 0
    assert result["symbols"] == ["BTCUSDT.BINANCE", "ETHUSDT.BINANCE"]
    assert result["bars"] == 80
    status, result = run("backtest", "c.toml", "--bars", f"BTCUSDT={bars}")
    assert (status, result["error"]["message"]) == (
        2,
        "no history for ETHUSDT.BINANCE; add --bars ETHUSDT.BINANCE=FILE",
    )


def test_start_and_end_take_a_part_of_the_file(run, bars: Path) -> None:
    span = ("--start", "2025-01-01T00:10", "--end", "2025-01-01T00:30:00+00:00")
    assert run("backtest", *FAST, "--bars", bars, *span)[1]["bars"] == 20
    assert run("backtest", *FAST, "--bars", bars, "--start", "2026-01-01")[0] == 2


def test_a_strategy_that_raises_is_status_1_and_named(run, bars: Path, tmp_path: Path) -> None:
    text = "from foxtrot.api import Strategy\nclass S(Strategy):\n    def on_bar(self, bar):\n        print('x')\n        raise ValueError('boom')\n"
    (tmp_path / "bad.py").write_text(text, "utf-8")
    status, result = run("backtest", "--strategy", "bad.py", "--bars", bars)
    assert status == 1
    assert "ValueError: boom" in result["failures"][0]


def test_out_writes_the_report(run, bars: Path, tmp_path: Path) -> None:
    status, result = run("backtest", *FAST, "--bars", bars, "--out", "report")
    assert status == 0
    page = (tmp_path / "report" / "report.html").read_text("utf-8")
    assert Path(str(result["report"])) == Path("report/report.html")
    assert "Zero cost" in page
    assert "double_ma" in page


def test_people_get_a_table(bars: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", *FAST, "--bars", str(bars)]) == 0
    assert "start_balance            1,000,000.00\n" in capsys.readouterr().out


HEAD = "time,open,high,low,close,volume\n"
ROW = "2025-01-01T00:00:00Z,100,101,99,100,1\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        ("", "empty"),
        (HEAD, "row"),
        (HEAD + ROW.replace("100,101", "nan,101"), "nan"),
        (HEAD + "2025-01-01T00:01:00Z,100,101,99,100,1\n" + ROW + "2025-01-01T00:02:00Z,100,101,99,100,1\n", "back"),
        ("time,open,high,low,volume\n" + "2025-01-01T00:00:00Z,100,101,99,1\n", "time, open, high, low, volume"),
        ("time,date,open,high,low,close\n2025,2025,1,1,1,1\n", "date"),
        (HEAD + ROW.replace("100,1\n", "abc,1\n"), "abc"),
    ],
)  # fmt: skip
def test_bad_data_is_one_line_and_status_2(content: str | None, message: str, run, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "bad.csv").write_text(content, "utf-8")
    status, result = run("backtest", *FAST, "--bars", "bad.csv")
    assert status == 2
    assert message in result["error"]["message"]


def test_a_truncated_gzip_is_refused(run, bars: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(bars.read_bytes())[:-20])
    status, result = run("backtest", *FAST, "--bars", "cut.csv.gz")
    assert (status, result["error"]["type"]) == (2, "InputError")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (("--strategy", "doubl_ma"), "did you mean double_ma?"),
        (("--strategy", "none.py"), "none.py does not exist"),
        (("--strategy", "double_ma", "--param", "fst=2"), "did you mean fast?"),
        (("--strategy", "double_ma", "--param", "fast=two"), "parameter fast must be a whole number, not 'two'"),
        (("--strategy", "double_ma", "--param", "fast=0"), "parameter fast must be at least 1, not '0'"),
        (("--strategy", "double_ma", "--param", "fast"), "'fast' must be NAME=VALUE"),
        ((), "name a strategy with --strategy"),
        (("--strategy", "double_ma", "--fee", "2"), "--fee 2 must be a fraction"),
        (("--strategy", "double_ma", "--fee", "binance_spt"), "did you mean binance_spot?"),
        (("--strategy", "double_ma", "--balance", "0"), "0 must be above 0"),
        (("--strategy", "double_ma", "--balance", "inf"), "inf must be a finite number"),
        (("--strategy", "double_ma", "--slippage", "-1"), "-1 must not be negative"),
        (("--strategy", "double_ma", "--slippage", "1e300"), "1e+300 must be at most 1,000,000,000,000,000"),
        (("--strategy", "double_ma", "--balance", "1e400"), "1e400 must be from 1E-15 to 1e+15"),
        (("--strategy", "double_ma", "--balance", "1e-400"), "1e-400 must be from 1E-15 to 1e+15"),
        (("--strategy", "double_ma", "--tick", "1e-400"), "1e-400 must be from"),
        (("--strategy", "double_ma", "--fee", "nan"), "--fee nan must be a fraction"),
        (("--strategy", "double_ma", "--fee", "-0.1"), "--fee -0.1 must be a fraction"),
        (("--strategy", "double_ma", "--seed", "9" * 5000), "must be a whole number of at least 1 and at most"),
        (("--strategy", "double_ma", "--latency-ms", "86400001"), "must be at most 86,400,000 milliseconds, a day"),
        (("--strategy", "double_ma", "--latency-ms", "1e300"), "must be at most 86,400,000 milliseconds, a day"),
        (("--strategy", "double_ma", "--feed-latency-ms", "1e300"), "must be at most 86,400,000 milliseconds, a day"),
        (("--strategy", "double_ma", "--feed-latency-ms", "inf"), "inf must be a finite number"),
        (("--strategy", "double_ma", "--symbol", "BTCUSDT"), "--symbol reads from the store and goes with no file"),
        (("--strategy", "double_ma", "--max-volume-share", "5"), "5 must be a fraction"),
        (("--strategy", "double_ma", "--start", "yesterday"), "'yesterday' must be a date"),
        (("--strategy", "double_ma", "--interval", "5m"), "wants 5m bars, BTCUSDT.HISTORY has 1m"),
        (("--strategy", "double_ma", "--tick", "0.3"), "open 100.0 of the bar at 2025-01-01 00:00:00 is off the grid of --tick 0.3; nearest legal: 99.9 or 100.2"),
        (("--strategy", "double_ma", "--out", "/dev/null/x"), "--out /dev/null/x cannot be made"),
    ],
)  # fmt: skip
def test_a_bad_argument_is_one_line_and_status_2(line: tuple[str, ...], message: str, run, bars: Path) -> None:
    status, result = run("backtest", *line, "--bars", bars)
    assert status == 2
    assert message in result["error"]["message"]
    assert "\n" not in result["error"]["message"]


def test_without_history_or_from_a_store_that_is_not_there_it_says_so(run) -> None:
    assert "give history" in run("backtest", *FAST)[1]["error"]["message"]
    assert "store" in run("backtest", *FAST, "--symbol", "BTCUSDT", "--interval", "1m")[1]["error"]["message"]


def test_trades_and_quotes_are_replayed_with_bars_built_from_them(run, tmp_path: Path) -> None:
    trades = ["time,price,size,side"]
    quotes = ["time,bid,ask"]
    for second in range(0, 1200, 10):
        price = 100 + second // 60 if second < 600 else 110 - (second - 600) // 60
        time = f"2025-01-01T00:{second // 60:02}:{second % 60:02}Z"
        trades.append(f"{time},{price},10,buy")
        quotes.append(f"{time},{price - 0.5},{price + 0.5}")
    (tmp_path / "t.csv").write_text("\n".join(trades) + "\n", "utf-8")
    (tmp_path / "q.csv").write_text("\n".join(quotes) + "\n", "utf-8")
    line = ("backtest", *FAST, "--lot", "1")
    status, printed = run(*line, "--ticks", "BTCUSDT=t.csv")
    assert (status, printed["trades"]) == (0, 2)
    status, quoted = run(*line, "--ticks", "BTCUSDT=q.csv", "--interval", "1m")
    assert (status, quoted["trades"]) == (0, 2)
    assert quoted["state_hash"] != printed["state_hash"]
    cut = run(*line, "--ticks", "BTCUSDT=t.csv", "--end", "2025-01-01T00:05")[1]
    assert (cut["moments"], cut["trades"]) == (30, 1)


@pytest.mark.slow
def test_a_recorded_capture_is_replayed_under_its_own_name(run, data_dir: Path) -> None:
    capture = data_dir / "binance" / "spot_btcusdt_20240808.gz"
    if not capture.is_file():
        pytest.skip(f"{capture} is not there")
    status, result = run("backtest", *FAST, "--depth", capture, "--interval", "1m")
    assert status == 0
    assert result["symbols"] == ["BTCUSDT.BINANCE"]


def test_a_capture_is_not_cut(run, bars: Path) -> None:
    status, result = run("backtest", *FAST, "--depth", bars, "--start", "2025-01-01")
    assert (status, "replayed whole" in result["error"]["message"]) == (2, True)


def test_two_files_for_one_symbol_are_refused(run, bars: Path) -> None:
    status, result = run("backtest", *FAST, "--bars", bars, "--bars", bars)
    assert (status, result["error"]["message"]) == (2, "two files for BTCUSDT.HISTORY; name them apart as SYMBOL=FILE")


def test_a_misspelt_key_of_the_configuration_is_refused(run, bars: Path, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(CONFIG.replace("symbols", "symbol"), "utf-8")
    status, result = run("backtest", "c.toml", "--bars", bars)
    assert (status, result["error"]["message"]) == (
        2,
        "c.toml:6: [strategy.one] unknown key 'symbol'; did you mean 'symbols'?",
    )


def test_details_hold_what_is_drawn_and_progress_is_told_in_lines(
    bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "details.json"
    assert main(["backtest", *FAST, "--bars", str(bars), "--details", str(file), "--progress-lines", "--json"]) == 0
    out, err = capsys.readouterr()
    result, details = json.loads(out), read_details(file.read_bytes())
    assert result["details"] == str(file)
    assert details.equity[-1] == result["end_balance"]
    assert min(details.drawdown) == pytest.approx(-result["max_drawdown"])
    assert [(month.year, month.month) for month in details.months] == [(2025, 1)]
    assert details.months[0].value == pytest.approx(result["total_return"])
    assert (len(details.fills), len(details.trips), details.left_out) == (2, 1, 0)
    assert details.prices is not None
    assert (details.prices.instrument_id, details.prices.interval) == ("BTCUSDT.HISTORY", "1m")
    assert sum(details.prices.volume) == 400.0
    assert (len(details.prices.close), details.prices.close[0], details.prices.decimals) == (40, 100.0, 1)
    told = [json.loads(line) for line in err.splitlines() if line.startswith('{"progress"')]
    assert told[-1] == {"progress": "history", "done": 40, "total": 40}


def test_details_that_cannot_be_written_are_one_clear_line(run, bars: Path, tmp_path: Path) -> None:
    status, result = run("backtest", *FAST, "--bars", bars, "--details", tmp_path / "no" / "such" / "folder.json")
    assert status == 2
    assert "--details" in result["error"]["message"]
    assert "name another file" in result["error"]["message"]
