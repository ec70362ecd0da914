"""The permit that is taped: it stands for the real one in everything, and is played back without it."""

from foxtrot.core.send_permit import SendPermit
from foxtrot.core.taped_permit import PlayedPermit, TapedPermit


def test_every_word_of_the_permit_reaches_the_one_behind_it() -> None:
    public = {name for name in vars(SendPermit) if not name.startswith("_")}
    assert public - set(vars(TapedPermit)) == set()


def test_whatever_the_permit_answers_is_played_back() -> None:
    silent = {
        "allow",
        "close",
        "hold",
        "allow_until",
        "explain",
        "is_free",
    }  # these answer nothing that a handler could act on
    public = {name for name in vars(SendPermit) if not name.startswith("_")}
    assert public - silent - set(vars(PlayedPermit)) == set()
