"""Who owns what for a flatten without a platform: by the journal, and without one that can be read by our fills."""

from pathlib import Path

import pytest

from foxtrot.app.cold_flatten import WITHOUT_JOURNAL_NS, ownership_of
from foxtrot.app.cold_kill import cold_kill
from foxtrot.app.config import Config, load_config
from foxtrot.app.platform_journal import NAME
from foxtrot.core.clock import ManualClock

NOW_NS = 1_700_000_000_000_000_000
HEADER = b"SQLite format 3\x00"


def configured(tmp_path: Path) -> Config:
    path = tmp_path / "paper.toml"
    path.write_text('[account.paper]\nadapter = "simulated"\n', "utf-8")
    return load_config(path)


@pytest.mark.parametrize("body", [None, b"", b"no journal at all", HEADER + bytes(4080)])
def test_a_damaged_journal_is_as_good_as_none_and_the_answer_says_so(tmp_path: Path, body: bytes | None) -> None:
    config, home = configured(tmp_path), tmp_path / "home"
    path = config.data_dir(home) / NAME
    path.parent.mkdir(parents=True)
    if body is not None:
        path.write_bytes(body)
    owned = ownership_of(config, home, ManualClock(NOW_NS))
    assert (owned.restored, owned.fills_since_ns("paper")) == (None, NOW_NS - WITHOUT_JOURNAL_NS)
    assert ("there is no journal" if body is None else "the journal cannot be used") in owned.source
    assert str(path) in owned.source
    assert "our fills of the last 7 days" in owned.source
    found = cold_kill(config, home, True, False, "Ann", {})
    assert found["not_flattened"] == ""
    assert found["flatten"]["owned_by"] == owned.source  # type: ignore[index]
