"""Everything that watches a running platform from the main thread: its parts, its health, its status file, the endpoint."""

import os
from collections.abc import Mapping

from loguru import logger

from foxtrot.app.config_places import placed
from foxtrot.app.health import HealthDesk
from foxtrot.app.health_server import HealthServer
from foxtrot.app.logging_setup import LogWriter
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.process_limits import descriptors_part
from foxtrot.app.run_status import StatusFile
from foxtrot.app.status_reading import ENDED, NAME, STOPPING
from foxtrot.app.supervision import Supervisor
from foxtrot.app.supervision_parts import enter_aids, log_part
from foxtrot.core.heartbeat import PartRegistry
from foxtrot.domain.errors import ConfigError


class PlatformWatch:
    """Made before a platform starts, told of each step of its life, and asked to look in between.

    As a context it serves the endpoint, if there is to be one, from before the platform starts until after it has ended.

    Thread: main.

    Args:
        platform: what is watched.
        log: the log of this process, None where somebody else has it.
        environment: where the token of the endpoint is found.

    Raises:
        ConfigError: the variable of the endpoint's token is not set.
    """

    def __init__(
        self,
        platform: MainEngine,
        log: LogWriter | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        table = platform.config.health
        self.registry = PartRegistry()
        self.supervisor = Supervisor(platform.events, platform.line, platform.permit, self.registry, table.blocked_s)
        self.registry.enter(descriptors_part())
        self.health = HealthDesk(platform, self.supervisor, lambda: log_counts(log))
        if log is not None:
            queue = log.queue
            self.registry.enter(log_part(lambda: queue.taken, lambda: len(queue), platform.clock.monotonic_ns))
        self.status = StatusFile(platform, self.supervisor.watchdog, platform.home / NAME, self.health)
        self.server: HealthServer | None = None
        if table.enabled:
            try:
                self.server = HealthServer(
                    table, platform.home, self.health.latest_and_age_s, platform.clock, environment
                )
            except ConfigError as error:
                raise placed(platform.config, ("health",), error) from None

    def __enter__(self) -> "PlatformWatch":
        """Serve the endpoint; ConfigError when its port cannot be had."""
        if self.server is not None:
            self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the endpoint.

        Blocks: at most two seconds.
        """
        if self.server is not None and (late := self.server.stop()):
            logger.warning("{} did not end in time", late)

    def started(self) -> None:
        """Begin to supervise, now that the platform runs."""
        enter_aids(self.registry)
        self.supervisor.start()
        self.supervisor.look()
        self.status.look()

    def look(self) -> None:
        """Look once; at least twice a second.

        Blocks: for the disk, once a second.
        """
        self.supervisor.look()
        self.status.look()

    def stopping(self) -> None:
        """Hear that the platform is about to be stopped: its parts may end now."""
        self.supervisor.stop()
        self.status.write(STOPPING)

    def ended(self) -> None:
        """Hear that the platform has stopped."""
        self.status.write(ENDED)


def log_counts(log: LogWriter | None) -> dict[str, int]:
    """Return what the log has lost so far; nothing where there is none."""
    return {} if log is None else {"log_lines_dropped": log.queue.dropped, "log_writes_failed": log.failures}
