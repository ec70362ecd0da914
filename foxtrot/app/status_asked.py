"""What a platform answers whose status file is old: it is not frozen, its file cannot be written."""

from pathlib import Path
from typing import cast

import msgspec

from foxtrot.app.control_client import find_platform
from foxtrot.app.control_requests import Blocks, ListBlocks
from foxtrot.app.status_reading import NAME, Json, Life, Reading
from foxtrot.domain.enums import GateState
from foxtrot.domain.errors import FoxtrotError


def asked_if_silent(home: Path, reading: Reading) -> Reading:
    """Return a reading as it is, or with the gate as the platform answers it where only its file is silent.

    Blocks: for the platform's answer, when the file is too old.
    """
    if reading.life is not Life.FROZEN:
        return reading
    try:
        found = find_platform(home).ask(ListBlocks(), Blocks)
    except (FoxtrotError, OSError):  # it does not answer either: frozen it is
        return reading
    engine = {**cast(Json, reading.status["engine"]), "gate": found.gate, "gate_reason": found.gate_reason}
    needs = [
        f"the status file cannot be written: {home / NAME} is {reading.age_s:.0f} s old, though the platform answers; look at the disk"
    ]
    if found.gate != GateState.ACTIVE:
        needs.append(f"the gate is {found.gate}: {found.gate_reason}")
    needs += [why for why in reading.needs_person[1:] if not why.startswith("the gate is ")]
    status = {**reading.status, "engine": engine}
    return msgspec.structs.replace(reading, life=Life.RUNNING, needs_person=tuple(needs), status=status)
