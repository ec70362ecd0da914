"""Where a running platform can be asked: a file in its home folder that only its owner may read."""

import msgspec

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
