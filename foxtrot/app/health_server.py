"""The health endpoint: GET /health and GET /metrics on 127.0.0.1, for whoever has the token. Off unless the configuration says otherwise."""

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from loguru import logger

from foxtrot.app.health import HALTED, Health
from foxtrot.app.health_table import HealthTable
from foxtrot.app.loopback_http import HttpAnswer, HttpRequest, LoopbackHttp, json_answer
from foxtrot.app.place_file import PlaceFile
from foxtrot.app.secrets import from_environment
from foxtrot.app.status_reading import FROZEN_S
from foxtrot.core.clock import Clock
from foxtrot.core.secret import Secret
from foxtrot.domain.errors import ConfigError

NAME = "foxtrot-health"
FILE = "health.json"


class HealthPlace(msgspec.Struct, frozen=True, omit_defaults=True):
    """What `health.json` says: where the endpoint listens, and its token unless that stands in a variable."""

    pid: int
    port: int
    token: str = ""

    def __repr__(self) -> str:
        return f"HealthPlace(pid={self.pid}, port={self.port})"


class HealthServer:
    """Tells the latest health object; when the main thread has made none for too long, that is what it tells.

    Thread: made, started and stopped by main; requests are answered on the threads of foxtrot-health.

    Args:
        table: port and token.
        home: where `health.json` goes.
        latest: the health object and its age in seconds, None before the first.
        clock: for the lockout after wrong tokens.
        environment: where the token is found.

    Raises:
        ConfigError: the variable of the token is not set.
    """

    def __init__(
        self,
        table: HealthTable,
        home: Path,
        latest: Callable[[], tuple[Health, float] | None],
        clock: Clock,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._port = table.port
        self._file = PlaceFile(home / FILE)
        self._latest = latest
        self._shown = "" if table.token_env else secrets.token_urlsafe(32)
        token = Secret(self._shown) if self._shown else from_environment(table.token_env, environment, "token_env")
        self._http = LoopbackHttp(NAME, self.handle, token, clock)

    def start(self) -> int:
        """Listen, say where in the home folder, and return the port.

        Raises:
            ConfigError: the port cannot be had, or the home folder cannot be written.
        """
        port = self._http.start(self._port)
        try:
            self._file.write(HealthPlace(os.getpid(), port, self._shown), durable=False)
        except ConfigError:
            self._http.stop()
            raise
        logger.info("health is served on http://127.0.0.1:{}/health and /metrics", port)
        return port

    def stop(self, deadline_s: float = 2.0) -> str:
        """Stop listening and remove the file; returns the name of a thread that overran the deadline, or "".

        Blocks: at most about `deadline_s`.
        """
        self._file.remove()
        return self._http.stop(deadline_s)

    def handle(self, request: HttpRequest) -> HttpAnswer:
        """Answer one request; called on a serving thread."""
        if request.method != "GET" or request.path not in ("/health", "/metrics"):
            return json_answer(404, {"error": "there are GET /health and GET /metrics"})
        found = self._latest()
        if found is None:
            return json_answer(503, {"state": HALTED, "reasons": ["the platform is starting"]})
        health, age_s = found
        if age_s > FROZEN_S:
            frozen = f"the main thread has told nothing for {age_s:.0f} s"
            health = msgspec.structs.replace(health, state=HALTED, reasons=(frozen, *health.reasons))
        if request.path == "/metrics":
            from foxtrot.app.health_metrics import CONTENT_TYPE, metrics_text

            return HttpAnswer(200, CONTENT_TYPE, metrics_text(health, age_s))
        return json_answer(503 if health.state == HALTED else 200, health)
