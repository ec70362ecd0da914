"""`foxtrot exchange`: which arguments go together, and what one that does not is told."""

import re
from pathlib import Path

import pytest

from foxtrot.app.verbs import exchange
from foxtrot.app.verbs.command_parser import CommandParser
from foxtrot.cli import main


def options(*line: str, home: Path) -> object:
    parser = CommandParser("foxtrot exchange")
    exchange.add_arguments(parser)
    arguments = parser.parse_args(line)
    arguments.home = home
    exchange.check(vars(arguments))
    return exchange._options(arguments)


def test_nothing_asked_for_is_spot_usdm_and_control_on_picked_ports(home: Path) -> None:
    found = options(home=home)
    ports = found.ports
    assert (ports.binance_spot, ports.binance_usdm, ports.control) == (0, 0, 0)
    assert (ports.binance_spot_tls, ports.binance_usdm_tls) == (None, None)
    assert found.port_file == home / "exchange.json"
    assert home.is_dir()


def test_what_is_asked_for_is_all_there_is(home: Path) -> None:
    found = options("--binance-spot-tls", "0", "--control", "9999", "--port-file", "p.json", home=home)
    ports = found.ports
    assert (ports.binance_spot, ports.binance_usdm, ports.binance_spot_tls, ports.control) == (None, None, 0, 9999)
    assert found.port_file == Path.cwd() / "p.json"


def test_speeds(home: Path) -> None:
    assert options("--replay", "x.csv", home=home).speed == 1.0
    assert options("--replay", "x.csv", "--speed", "2.5", home=home).speed == 2.5
    assert options("--replay", "x.csv", "--speed", "max", home=home).speed == 0.0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--api 0", "--api is not in this version; leave it out"),
        ("--binance-spot 70000", "argument --binance-spot: 70000 must be a port from 0 to 65535; 0 picks a free one"),
        ("--control -1", "--control: -1 must be a port from 0 to 65535|expected one argument"),
        ("--binance-spot 5000 --control 5000", "port 5000 is given twice; give each service its own, or 0"),
        ("--binance-spott 0", "did you mean --binance-spot?"),
        ("--agents x", "--agents: x must be a whole number from 0 to 1000"),
        ("--seed 0", "--seed: 0 must be a whole number of at least 1"),
        ("--speed 2", "--speed is that of a replay; add --replay FILE"),
        ("--replay x.csv --speed 0", "--speed: 0 must be a number above 0 such as 10"),
        ("--replay x.csv --speed nan", "--speed: nan must be a number above 0"),
        ("--replay x.csv --data d", "--replay starts a market anew and --data goes on with an old one"),
        ("--replay none.csv", "none.csv does not exist"),
        ("--replay bars.csv --binance-usdm 0", "--replay is of BTCUSDT.BINANCE; serve it with --binance-spot 0"),
        ("--config none.toml", "none.toml does not exist"),
        ("--port-file no/ports.json", "folder .*no does not exist; make it first"),
    ],
)
def test_a_bad_line_is_one_line_and_status_2(
    line: str, said: str, bars: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bars.rename("bars.csv")
    if "bars.csv" in line:
        line = line.replace("bars.csv", "BTCUSDT=bars.csv")
    assert main(["exchange", *line.split()]) == 2
    stderr = capsys.readouterr().err
    last = stderr.strip().splitlines()
    assert len(last) == 1
    assert re.search(said, last[0])
    assert "Traceback" not in stderr


def test_help_says_what_each_kind_of_file_gives(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exchange", "--help"]) == 0
    text = capsys.readouterr().out
    assert "Raw depth shows every recorded level and print" in text
    assert "a quarter of the volume each" in text
