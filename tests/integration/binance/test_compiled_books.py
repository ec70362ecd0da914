"""An adapter whose books are compiled, against the embedded exchange: the venue's levels, by frames that nobody decodes."""

import pytest

from foxtrot.adapter.binance.frame_levels import is_compiled
from foxtrot.adapter.binance.frame_stream import FrameStream
from foxtrot.domain.enums import BookState, Product
from foxtrot.domain.market import DepthChange, DepthData
from tests.support.book_rig import BookRig

pytestmark = pytest.mark.skipif(not is_compiled(), reason="the compiled path was not built: scripts/setup --compiled")


@pytest.mark.parametrize("product", [Product.SPOT, Product.PERPETUAL])
def test_a_compiled_book_is_the_venues(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    followed: list[bool | None] = []
    follow = FrameStream.take_frame
    monkeypatch.setattr(FrameStream, "take_frame", lambda *given: followed.append(taken := follow(*given)) or taken)
    with BookRig(product, book_engine="compiled") as rig:
        rig.stream(depth_levels=5)
        rig.move(3)
        assert isinstance(rig.ours, FrameStream)
        assert rig.ours.state is BookState.LIVE
        assert rig.is_true(rig.heard.of(DepthData)[-1], 5)
        assert followed.count(True) >= 2
        rig.lose_link("cable pulled")
        assert rig.states()[-1] is BookState.STALE
        before = len(rig.heard.of(DepthData))
        rig.restore_link()
        rig.move()
        assert rig.is_true(rig.heard.of(DepthData)[before:][-1], 5)
        assert rig.heard.of(DepthChange) == []
