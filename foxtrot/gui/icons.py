"""Icons by what they mean, in the colours of the theme: drawn from a font that comes with the desktop, so that no machine lacks one."""

from functools import lru_cache
from typing import Final

from PySide6.QtGui import QIcon

from foxtrot.gui.theme import Theme

_GLYPHS: Final = {"float": "mdi6.dock-window", "close": "mdi6.close"}


def icon(name: str, theme: Theme) -> QIcon:
    """Return an icon.

    Args:
        name: what it means.
        theme: whose colours it has.

    Raises:
        KeyError: no icon means that.
    """
    return _drawn(_GLYPHS[name], theme.colours.dim, theme.colours.text)


@lru_cache(maxsize=64)
def _drawn(glyph: str, colour: str, active: str) -> QIcon:
    import qtawesome  # its fonts take some tenths of a second, once, when the first window is made

    found: QIcon = qtawesome.icon(glyph, color=colour, color_active=active)
    return found
