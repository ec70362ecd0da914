"""What a supervisor asks of an adapter: its parts, and a new link after the process stood still."""

from loguru import logger

from foxtrot.core.heartbeat import Part


class Supervised:
    """An adapter as the supervisor sees it; one without threads, loops and a link of its own keeps these.

    Thread: any.
    """

    account: str

    def parts(self) -> tuple[Part, ...]:
        """Return the threads, loops and long-lived tasks of the adapter, to be supervised; from any thread."""
        return ()

    def renew_link(self, cause: str) -> None:
        """Believe nothing that came over the link, and connect anew; called after the process stood still."""
        logger.bind(account=self.account).info("there is no link that could have gone stale: {}", cause)
