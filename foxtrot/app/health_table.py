"""The table of a configuration about the platform's own health."""

from typing import Annotated

import msgspec
from msgspec import Meta


class HealthTable(msgspec.Struct, frozen=True, kw_only=True):
    """How the platform watches itself, and an HTTP endpoint on this machine that tells how it does; see docs/status.md."""

    blocked_s: Annotated[
        float,
        Meta(
            ge=0.1,
            le=60.0,
            description="How long the engine may handle nothing while events wait, in seconds, before the gate is closed.",
        ),
    ] = 2.0
    enabled: Annotated[bool, Meta(description="Serve `GET /health` and `GET /metrics` on 127.0.0.1.")] = False
    port: Annotated[
        int,
        Meta(ge=0, le=65_535, description="Port of that; 0 picks one, which `health.json` in the home folder names."),
    ] = 0
    token_env: Annotated[
        str,
        Meta(
            description="Environment variable with the token that a client must send; empty makes one at each start, which `health.json` has."
        ),
    ] = ""
