"""What a program gives a HubClient: refused in words before anything connects."""

import pytest

from foxtrot.domain.errors import ConfigError
from foxtrot.hub.client import HubClient


@pytest.mark.parametrize(
    "url", [None, 8790, b"ws://127.0.0.1/ws", "ws://[bad/ws", "ws://127.0.0.1:99999/ws", "ws://127.0.0.1:x/ws"]
)
def test_what_is_no_url_is_refused_in_words(url: object) -> None:
    with pytest.raises(ConfigError, match="must be a URL such as 'ws://127"):
        HubClient(url)  # type: ignore[arg-type]


def test_a_token_that_is_no_text_is_refused() -> None:
    with pytest.raises(ConfigError, match="token must be text, not NoneType"):
        HubClient(token=None)  # type: ignore[arg-type]
