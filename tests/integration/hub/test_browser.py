"""The hub's page in a real browser, headless: it shows the book as it changes; a page from elsewhere is refused."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from foxtrot.core.secret import Secret
from foxtrot.domain.enums import AdapterState
from tests.architecture.source_tree import REPOSITORY
from tests.support.browser import BROWSER, Page, browser
from tests.support.hub_scene import BTC, HubScene, hub_scene

pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="no chromium here; apt-get install chromium"),
    pytest.mark.slow,
    pytest.mark.timeout(240),
]
BIDS = ((100.0, 1.25), (99.99, 2.0), (99.95, 3.0))
ASKS = ((100.01, 1.5), (100.05, 2.5))
STATE = "document.getElementById('state').textContent"
ROWS = "[...document.querySelectorAll('#{side} tr')].map(row => [...row.cells].map(cell => cell.textContent).join(' '))"


@pytest.fixture
def scene() -> Iterator[HubScene]:
    with hub_scene() as made:
        made.adapter.whole(BIDS, ASKS)
        made.settle()
        yield made


def address(scene: HubScene) -> str:
    return f"http://127.0.0.1:{scene.server.port}/"


def rows(page: Page, side: str) -> list[str]:
    found: list[str] = page.value(ROWS.replace("{side}", side))
    return found


def test_the_page_shows_a_book_as_it_changes_and_hides_it_while_it_is_sick(scene: HubScene, tmp_path: Path) -> None:
    with browser(address(scene), tmp_path) as page:
        page.wait(f"{STATE} === 'live' && document.querySelectorAll('#bids tr').length === 3")
        assert rows(page, "bids") == ["1.25000 100.00", "2.00000 99.99", "3.00000 99.95"]
        assert rows(page, "asks") == ["100.01 1.50000", "100.05 2.50000"]
        assert page.value("document.getElementById('token').offsetParent === null")
        scene.adapter.change(bids=((100.0, 0.0),), asks=((100.02, 7.0),))
        page.wait("document.querySelectorAll('#asks tr').length === 3")
        assert rows(page, "bids") == ["2.00000 99.99", "3.00000 99.95"]
        assert rows(page, "asks") == ["100.01 1.50000", "100.02 7.00000", "100.05 2.50000"]
        scene.adapter.on_status(AdapterState.LOST, "cable")
        page.wait(f"{STATE} === 'stale'")
        assert rows(page, "bids") == rows(page, "asks") == []
        assert "cable" in page.value("document.getElementById('error').textContent")
        scene.adapter.on_status(AdapterState.READY)
        scene.adapter.whole(BIDS, ASKS, 300)
        page.wait(f"{STATE} === 'live' && document.getElementById('facts').textContent.startsWith('update 300 ')")


def test_the_page_groups_and_says_what_is_wrong_with_a_step(scene: HubScene, tmp_path: Path) -> None:
    ask = "document.getElementById('group').value = '{step}'; document.getElementById('ask').requestSubmit()"
    with browser(address(scene), tmp_path) as page:
        page.wait(f"{STATE} === 'live'")
        page.value(ask.replace("{step}", "0.1"))
        page.wait("document.querySelectorAll('#asks tr').length === 1")
        assert rows(page, "bids") == ["1.25000 100.00", "5.00000 99.90"]
        page.value(ask.replace("{step}", "0.015"))
        page.wait("document.getElementById('error').textContent.includes('multiple of the price step 0.01')")


def test_a_hub_that_is_gone_is_found_again(scene: HubScene, tmp_path: Path) -> None:
    with browser(address(scene), tmp_path) as page:
        page.wait(f"{STATE} === 'live'")
        assert scene.server.stop() == ""
        page.wait(f"{STATE} === 'stale'")
        scene.server.start()
        page.wait(f"{STATE} === 'live'")


def test_a_page_from_elsewhere_is_not_let_in(scene: HubScene, tmp_path: Path) -> None:
    page_file = tmp_path / "evil.html"
    page_file.write_text(
        f"<p id=told>waiting</p><script>const ws = new WebSocket('{scene.server.url}');"
        "const say = text => { document.getElementById('told').textContent = text; };"
        "ws.onmessage = event => say('read ' + event.data); ws.onerror = () => say('refused');</script>"
    )
    with browser(page_file.as_uri(), tmp_path / "profile") as page:
        page.wait("document.getElementById('told').textContent !== 'waiting'")
        assert page.value("document.getElementById('told').textContent") == "refused"
    assert scene.server.figures().refused >= 1


def test_a_token_is_typed_into_the_page_and_is_in_no_address(tmp_path: Path) -> None:
    with hub_scene(token=Secret("right one")) as made:
        made.adapter.whole(BIDS, ASKS)
        with browser(address(made), tmp_path) as page:
            page.wait("document.getElementById('error').textContent.includes('needs a token')")
            assert rows(page, "bids") == []
            page.value(
                "document.getElementById('token').value = 'right one'; document.getElementById('ask').requestSubmit()"
            )
            page.wait(f"{STATE} === 'live'")
            assert page.value("location.href") == address(made)
            assert "right" not in page.value("JSON.stringify(performance.getEntries().map(one => one.name))")


def test_the_javascript_of_the_document_keeps_a_book(scene: HubScene, tmp_path: Path) -> None:
    text = (REPOSITORY / "docs" / "hub.md").read_text("utf-8")
    (example,) = re.findall(r"```js\n(.*?)```", text, re.DOTALL)
    with browser(address(scene), tmp_path) as page:
        page.wait(f"{STATE} === 'live'")
        page.value(
            f"{example}; window.told = []; window.reader = readBook('{scene.server.url}', '{BTC}', book => told.push([book.state, [...book.bids]]))"
        )
        page.wait("told.length === 1")
        assert page.value("told[0]") == ["live", [["100.00", "1.25000"], ["99.99", "2.00000"], ["99.95", "3.00000"]]]
        scene.adapter.change(bids=((100.0, 0.0),))
        page.wait("told.length === 2")
        scene.adapter.on_status(AdapterState.LOST, "cable")
        page.wait("told.at(-1)[0] === 'stale' && told.at(-1)[1].length === 0")
        scene.adapter.whole(BIDS[:1], ASKS, 300)
        page.wait("told.at(-1)[0] === 'live'")
        assert page.value("told.at(-1)[1]") == [["100.00", "1.25000"]]
