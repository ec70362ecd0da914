"""Adapters of a platform keep in its home what must outlive the process."""

from pathlib import Path

from foxtrot.app.config import load_config
from foxtrot.app.main_engine import MainEngine

PAPER = '[account.paper]\nadapter = "simulated"\n'


def test_adapters_of_a_platform_know_its_home(tmp_path: Path) -> None:
    (tmp_path / "foxtrot.toml").write_text(PAPER)
    home = tmp_path / "home"
    platform = MainEngine(load_config(tmp_path / "foxtrot.toml"), home)
    assert platform.line.adapters["paper"].context.home == home
    platform.stop()
