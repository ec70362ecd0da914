"""Where a running platform can be asked, by a file in its home folder that only its owner may read, and what ran there last."""

from pathlib import Path

import msgspec

from foxtrot.app.status_reading import NAME as STATUS

FILE = "control.json"
PATH = "/steer"


class ControlPlace(msgspec.Struct, frozen=True):
    """What the file in the home folder says: where the server of which run listens, and the token it asks for."""

    pid: int
    port: int
    token: str
    run_id: str

    def __repr__(self) -> str:
        return f"ControlPlace(pid={self.pid}, port={self.port}, run_id={self.run_id!r})"


def last_config(home: Path) -> Path | None:
    """Return the configuration that ran last in a home folder, None when nobody knows."""
    try:
        told = msgspec.json.decode((home / STATUS).read_bytes(), type=dict[str, object])
    except (OSError, msgspec.MsgspecError):
        return None
    config = told.get("config")
    return Path(config) if isinstance(config, str) and config else None
