"""How the desktop looks: colours by meaning, dark and light, green-up or red-up or for the colour-blind, fonts, scale."""

from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

UI_FONTS: Final = (
    "Inter",
    "Segoe UI",
    "SF Pro Text",
    "Noto Sans CJK SC",
    "Microsoft YaHei",
    "PingFang SC",
    "DejaVu Sans",
)
NUMBER_FONTS: Final = ("JetBrains Mono", "Cascadia Mono", "SF Mono", "DejaVu Sans Mono", "Noto Sans Mono CJK SC")
BASE_PIXELS: Final = 12
_ARROWS: Final = Path(__file__).parent / "arrows"


class Mode(StrEnum):
    """Dark or light."""

    DARK = "dark"
    LIGHT = "light"


class Direction(StrEnum):
    """Which colours stand for up and down."""

    GREEN_UP = "green_up"
    RED_UP = "red_up"
    COLOUR_BLIND = "colour_blind"


class Colours(msgspec.Struct, frozen=True):
    """Colours by what they mean, as #rrggbb."""

    window: str
    panel: str
    raised: str
    line: str
    text: str
    dim: str
    accent: str
    up: str
    down: str
    warning: str
    danger: str
    good: str
    paper: str
    live: str


_DARK: Final = Colours(
    "#12161c", "#181d25", "#222936", "#2c3442", "#dfe5ee", "#8592a5", "#4c8dff", "#2fbf71", "#f0525f", "#e8a33d", "#e5383b", "#2fbf71",
    "#1f6feb", "#c62828",
)  # fmt: skip
_LIGHT: Final = Colours(
    "#eef1f5", "#ffffff", "#e4e9f0", "#c9d1dc", "#1b2430", "#5b6777", "#1f6feb", "#0a8f4d", "#cf2e3b", "#a86400", "#c62828", "#0a8f4d",
    "#1f6feb", "#c62828",
)  # fmt: skip
_BLIND: Final = {Mode.DARK: ("#4aa3ff", "#ff9f43"), Mode.LIGHT: ("#0063c6", "#b35900")}
"""Blue and orange, which people tell apart who do not tell green from red."""


class Theme(msgspec.Struct, frozen=True):
    """A choice of looks."""

    mode: Mode = Mode.DARK
    direction: Direction = Direction.GREEN_UP
    scale: float = 1.0

    @property
    def colours(self) -> Colours:
        """Return the colours of this choice."""
        base = _DARK if self.mode is Mode.DARK else _LIGHT
        if self.direction is Direction.RED_UP:
            return msgspec.structs.replace(base, up=base.down, down=base.up)
        if self.direction is Direction.COLOUR_BLIND:
            up, down = _BLIND[self.mode]
            return msgspec.structs.replace(base, up=up, down=down)
        return base

    def pixels(self, size: float) -> int:
        """Return a length at this scale."""
        return max(1, round(size * self.scale))

    def font(self) -> QFont:
        """Return the font of words."""
        return _font(UI_FONTS, self.pixels(BASE_PIXELS))

    def number_font(self) -> QFont:
        """Return the font of the ladder and the log, whose characters are all as wide."""
        return _font(NUMBER_FONTS, self.pixels(BASE_PIXELS))


def apply_theme(application: QApplication, theme: Theme) -> None:
    """Give every window these looks."""
    colours = theme.colours
    application.setStyle("Fusion")
    application.setFont(theme.font())
    application.setPalette(_palette(colours))
    application.setStyleSheet(_style(theme))


def _font(families: tuple[str, ...], pixels: int) -> QFont:
    known = set(QFontDatabase.families())
    font = QFont()
    font.setFamilies([name for name in families if name in known] or ["sans-serif"])
    font.setPixelSize(pixels)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def _palette(colours: Colours) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for which, colour in (
        (role.Window, colours.window), (role.Base, colours.panel), (role.AlternateBase, colours.panel), (role.Button, colours.raised),
        (role.WindowText, colours.text), (role.Text, colours.text), (role.ButtonText, colours.text), (role.ToolTipBase, colours.raised),
        (role.ToolTipText, colours.text), (role.PlaceholderText, colours.dim), (role.HighlightedText, colours.text),
        (role.Link, colours.accent), (role.Mid, colours.line), (role.Dark, colours.line),
    ):  # fmt: skip
        palette.setColor(which, QColor(colour))
    chosen = QColor(colours.accent)
    chosen.setAlpha(60)  # what is chosen stays readable, and profit its colour
    palette.setColor(role.Highlight, chosen)
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(colours.dim))
    return palette


def _style(theme: Theme) -> str:
    colours, px = theme.colours, theme.pixels
    return (
        f"QToolTip{{border:1px solid {colours.line};padding:{px(4)}px}}"
        f"QDockWidget::title{{background:{colours.raised};padding:{px(4)}px {px(6)}px}}"
        f"QMainWindow::separator{{background:{colours.line};width:{px(3)}px;height:{px(3)}px}}"
        f"QMenuBar::item{{padding:{px(3)}px {px(7)}px;background:transparent}}QMenuBar::item:selected{{background:{colours.raised}}}"
        f"QHeaderView{{background:{colours.raised};border:0}}"  # where columns end before the table does, too
        f"QHeaderView::section{{background:{colours.raised};color:{colours.dim};border:0;padding:{px(3)}px {px(6)}px}}"
        f"QTableView{{border:0;gridline-color:{colours.line}}}"
        "QTabBar{qproperty-drawBase:0}"  # else a bright line in dark windows
        f"QTabBar::tab{{padding:{px(5)}px {px(10)}px;background:{colours.window};color:{colours.dim}}}"
        f"QTabBar::tab:selected{{background:{colours.panel};color:{colours.text}}}"
        f"QLineEdit,QComboBox,QAbstractSpinBox{{background:{colours.panel};border:1px solid {colours.line};"
        f"border-radius:{px(3)}px;padding:{px(3)}px {px(5)}px}}"
        f"QPushButton{{background:{colours.raised};border:1px solid {colours.line};border-radius:{px(3)}px;"
        f"padding:{px(4)}px {px(10)}px}}"
        f"QPushButton:checked{{background:{colours.accent};border-color:{colours.accent};color:#ffffff;font-weight:600}}"
        f"QCheckBox::indicator,QRadioButton::indicator{{width:{px(12)}px;height:{px(12)}px;border:1px solid {colours.dim};"
        f"background:{colours.panel};border-radius:{px(2)}px}}"
        f"QRadioButton::indicator{{border-radius:{px(7)}px}}"
        f"QCheckBox::indicator:checked,QRadioButton::indicator:checked{{background:{colours.accent};"
        f"border:{px(2)}px solid {colours.text};width:{px(10)}px;height:{px(10)}px}}"
        f"QPushButton:disabled{{color:{colours.dim}}}" + _small_parts(theme)
    )


def _small_parts(theme: Theme) -> str:
    """Return the style of arrows and scroll bars: left to Qt they keep the size of 100 %, and have edges of their own in light windows."""
    colours, px = theme.colours, theme.pixels
    down, up = ((_ARROWS / f"{way}_{theme.mode}.svg").as_posix() for way in ("down", "up"))
    return (
        f"QComboBox::drop-down{{border:0;width:{px(18)}px}}"
        f"QAbstractSpinBox::up-button,QAbstractSpinBox::down-button{{border:0;background:transparent;width:{px(16)}px}}"
        f'QComboBox::down-arrow,QAbstractSpinBox::down-arrow,QToolButton::menu-indicator{{image:url("{down}");'
        f"width:{px(8)}px;height:{px(8)}px}}"
        f'QAbstractSpinBox::up-arrow{{image:url("{up}");width:{px(8)}px;height:{px(8)}px}}'
        f'QHeaderView::down-arrow{{image:url("{down}");width:{px(9)}px;height:{px(9)}px}}'
        f'QHeaderView::up-arrow{{image:url("{up}");width:{px(9)}px;height:{px(9)}px}}'
        f'QToolButton[popupMode="2"]{{padding-right:{px(10)}px}}'  # room for the arrow of a menu
        f"QScrollBar,QAbstractScrollArea::corner{{background:{colours.window};border:0}}"
        f"QScrollBar:vertical{{width:{px(10)}px}}QScrollBar:horizontal{{height:{px(10)}px}}"
        f"QScrollBar::handle{{background:{colours.line};border-radius:{px(3)}px;margin:{px(1)}px}}"
        f"QScrollBar::handle:hover{{background:{colours.dim}}}"
        f"QScrollBar::handle:vertical{{min-height:{px(24)}px}}QScrollBar::handle:horizontal{{min-width:{px(24)}px}}"
        "QScrollBar::add-line,QScrollBar::sub-line{width:0;height:0}QScrollBar::add-page,QScrollBar::sub-page{background:transparent}"
    )
