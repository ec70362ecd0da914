"""The hub's page in a real browser, headless: it shows the book as it changes; a page from elsewhere is refused."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from foxtrot.core.secret import Secret
from tests.support.hub_scene import HubScene, hub_scene

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="no chromium here; apt-get install chromium"),
    pytest.mark.slow,
    pytest.mark.timeout(240),
]
BIDS = ((100.0, 1.25), (99.99, 2.0), (99.95, 3.0))
ASKS = ((100.01, 1.5), (100.05, 2.5))


@pytest.fixture
def scene() -> Iterator[HubScene]:
    with hub_scene() as made:
        made.adapter.whole(BIDS, ASKS)
        made.settle()
        yield made


def shown(url: str, profile: Path, wait_ms: int = 2_000) -> str:
    """The document as the browser has it after a while."""
    command = [
        str(BROWSER), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions",
        "--disable-background-networking", "--no-first-run", f"--user-data-dir={profile}", f"--virtual-time-budget={wait_ms}",
        "--dump-dom", url,
    ]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout


def rows(document: str, side: str) -> list[tuple[str, str]]:
    body = re.search(rf'<tbody id="{side}">(.*?)</tbody>', document, re.DOTALL)
    assert body is not None, document[-3000:]
    return re.findall(r"<tr><td>(.*?)</td><td>(.*?)</td></tr>", body[1])


def test_the_page_shows_the_book(scene: HubScene, tmp_path: Path) -> None:
    document = shown(f"http://127.0.0.1:{scene.server.port}/", tmp_path)
    assert re.search(r'<span id="state" class="live">live</span>', document), document[-3000:]
    assert rows(document, "bids") == [("1.25000", "100.00"), ("2.00000", "99.99"), ("3.00000", "99.95")]
    assert rows(document, "asks") == [("100.01", "1.50000"), ("100.05", "2.50000")]


def test_a_page_from_elsewhere_is_not_let_in(scene: HubScene, tmp_path: Path) -> None:
    page = tmp_path / "evil.html"
    page.write_text(
        f"<p id=told>waiting</p><script>const ws = new WebSocket('{scene.server.url}');"
        "const say = text => { document.getElementById('told').textContent = text; };"
        "ws.onmessage = event => say('read ' + event.data); ws.onerror = () => say('refused');</script>"
    )
    document = shown(page.as_uri(), tmp_path / "profile")
    assert ">refused<" in document
    assert scene.server.figures().refused >= 1


def test_a_hub_with_a_token_tells_the_page_nothing_before_it(tmp_path: Path) -> None:
    with hub_scene(token=Secret("right one")) as made:
        made.adapter.whole(BIDS, ASKS)
        document = shown(f"http://127.0.0.1:{made.server.port}/", tmp_path)
        assert "This hub needs a token" in document
        assert rows(document, "bids") == []
