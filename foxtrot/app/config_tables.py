"""The tables of a configuration file, one struct each; the descriptions here are what docs/configuration.md is made of."""

from datetime import time
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from foxtrot.adapter.base_adapter import Setting
from foxtrot.app.unsteady_link import UnsteadyRule
from foxtrot.domain.calendar import DayStart
from foxtrot.domain.enums import PositionMode
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.interval import Interval
from foxtrot.strategy.parameters import Value
from foxtrot.strategy.settings import ExitPolicy, OrderExit, PositionExit, StrategySettings
from foxtrot.trading.limits import Limits
from foxtrot.trading.reconcile_settings import ReconcileSettings

Text = Annotated[str, Meta(min_length=1)]
OCCASIONS = ("on_stop", "on_error", "on_shutdown")


class PlatformTable(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for the whole platform."""

    mode: Annotated[
        Literal["paper", "live"],
        Meta(
            description="`paper` refuses accounts with real money (simulated ones and a venue's testnet pass); `live` needs `foxtrot run --live` as well."
        ),
    ] = "paper"
    base_currency: Annotated[
        str, Meta(min_length=1, description="Asset in which equity, profit and money limits are counted.")
    ] = "USDT"
    timezone: Annotated[str, Meta(description="IANA name of the zone in which `day_start` is read.")] = "UTC"
    day_start: Annotated[
        str, Meta(description="Local time, HH:MM, at which a day begins: daily loss limits and daily statistics.")
    ] = "00:00"
    data_dir: Annotated[
        str,
        Meta(
            description="Folder of journal, recordings and stores; relative to this file; empty is `data` in the home folder."
        ),
    ] = ""
    strategies_dir: Annotated[
        str,
        Meta(description="Folder of strategy files; relative to this file; empty is `strategies` in the home folder."),
    ] = ""

    def __post_init__(self) -> None:
        """Check time and zone.

        Raises:
            ConfigError: the time is not HH:MM, or the zone is not known.
        """
        self.day().day_of(0)

    def day(self) -> DayStart:
        """Return when a day begins."""
        hours, _, minutes = self.day_start.partition(":")
        if not (len(hours) == len(minutes) == 2 and (hours + minutes).isdecimal() and hours < "24" and minutes < "60"):
            raise ConfigError(f"day_start must be HH:MM such as '17:00', not {self.day_start!r}")
        return DayStart(time(int(hours), int(minutes)), self.timezone)


class AccountTable(msgspec.Struct, frozen=True, kw_only=True):
    """One account at one venue; NAME is what strategies and reports call it."""

    adapter: Annotated[Text, Meta(description="Adapter by name; `foxtrot doctor` lists the installed ones.")]
    environment: Annotated[
        str, Meta(description="Which of the venue's environments, in the adapter's words; empty is its safest one.")
    ] = ""
    position_mode: Annotated[
        PositionMode,
        Meta(description="`netting` holds one position per instrument, `hedging` a long and a short one."),
    ] = PositionMode.NETTING
    limits: Annotated[Limits, Meta(description="Limits of this account; see the table of limits.")] = Limits()
    settings: Annotated[
        dict[str, Setting],
        Meta(
            description='Given to the adapter. `NAME_env = "VARIABLE"` takes the secret NAME from the environment; one that stands here itself is refused.'
        ),
    ] = {}


class OrderExits(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to the open orders of a strategy that ends."""

    on_stop: Annotated[OrderExit, Meta(description="After it is stopped by a person.")] = OrderExit.CANCEL_ENTRIES
    on_error: Annotated[OrderExit, Meta(description="After it raised.")] = OrderExit.CANCEL_ENTRIES
    on_shutdown: Annotated[OrderExit, Meta(description="When the platform ends.")] = OrderExit.CANCEL_ENTRIES


class PositionExits(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to the position of a strategy that ends."""

    on_stop: Annotated[PositionExit, Meta(description="After it is stopped by a person.")] = PositionExit.KEEP
    on_error: Annotated[PositionExit, Meta(description="After it raised.")] = PositionExit.KEEP
    on_shutdown: Annotated[PositionExit, Meta(description="When the platform ends.")] = PositionExit.KEEP


class StrategyTable(msgspec.Struct, frozen=True, kw_only=True, rename={"class_name": "class"}):
    """One running strategy; NAME is its id in orders, logs and reports."""

    class_name: Annotated[
        Text,
        Meta(description="Name from `foxtrot strategies`, `module:Class`, or `file.py[:Class]` relative to this file."),
    ]
    account: Annotated[Text, Meta(description="Name of the account it trades on.")]
    symbols: Annotated[
        tuple[Text, ...],
        Meta(min_length=1, description='Instruments, the first is the main one: `["BTCUSDT.BINANCE"]`.'),
    ]
    interval: Annotated[str, Meta(description="Bars it hears: `1m`, `4h`, `1d`, `100t` (trades), `50v` (volume).")] = (
        "1m"
    )
    capital: Annotated[Decimal, Meta(description="Money it may count as its own, in the base currency.")] = Decimal(0)
    params: Annotated[
        dict[str, Value], Meta(description="Its parameters; `foxtrot strategies` lists each with its default.")
    ] = {}
    orders: Annotated[OrderExits, Meta(description="Open orders at its end; one text sets all three.")] = OrderExits()
    position: Annotated[PositionExits, Meta(description="Its position at its end; one text sets all three.")] = (
        PositionExits()
    )
    limits: Annotated[Limits, Meta(description="Limits of this strategy; see the table of limits.")] = Limits()
    depth_levels: Annotated[
        int, Meta(ge=1, le=5000, description="Levels of the order book it hears, if it hears any.")
    ] = 20
    autostart: Annotated[
        bool,
        Meta(
            description="Start it as soon as its account is ready; without it a person does, by `foxtrot strategy start`."
        ),
    ] = True

    def __post_init__(self) -> None:
        """Check interval and capital.

        Raises:
            ConfigError: the interval is not known, or the capital is negative.
        """
        if self.capital < 0:
            raise ConfigError(f"capital must not be negative, not {self.capital}")
        Interval.parse(self.interval)

    def settings(self, strategy_id: str) -> StrategySettings:
        """Return this table as the strategy engine takes it."""
        policy = ExitPolicy(
            {occasion: getattr(self.orders, occasion) for occasion in OCCASIONS},
            {occasion: getattr(self.position, occasion) for occasion in OCCASIONS},
        )
        return StrategySettings(
            strategy_id=strategy_id,
            class_name=self.class_name,
            account=self.account,
            symbols=self.symbols,
            interval=self.interval,
            capital=self.capital,
            parameters=self.params,
            exit_policy=policy,
            depth_levels=self.depth_levels,
            autostart=self.autostart,
        )


class ReconcileTable(msgspec.Struct, frozen=True, kw_only=True):
    """How often accounts are compared with their venues while the platform runs."""

    enabled: Annotated[
        bool,
        Meta(
            description="Compare all the time. At a start, after a loss and before anything trades it is done whatever stands here."
        ),
    ] = True
    orders_s: Annotated[
        float, Meta(ge=1, le=3_600, description="Seconds between two looks at the open orders of an account.")
    ] = 10.0
    positions_s: Annotated[
        float, Meta(ge=1, le=3_600, description="Seconds between two looks at its positions, balances and fills.")
    ] = 30.0

    def settings(self) -> ReconcileSettings:
        """Return this table as the reconciliation takes it."""
        return ReconcileSettings(enabled=self.enabled, orders_s=self.orders_s, positions_s=self.positions_s)


class RecorderTable(msgspec.Struct, frozen=True, kw_only=True):
    """The tape of each run, for `foxtrot replay`: everything that enters the engine, in `runs` of the data folder."""

    enabled: Annotated[bool, Meta(description="Record every run.")] = True
    keep_days: Annotated[float, Meta(gt=0, description="Days that the tape of a run is kept.")] = 7.0
    keep_gb: Annotated[
        float, Meta(gt=0, description="Size that all tapes together may have, in GB; the oldest are removed first.")
    ] = 5.0
    min_free_gb: Annotated[
        float,
        Meta(
            ge=0,
            description="Recording stops, and trading goes on, when less of the disk than this is free, or less than 2 %.",
        ),
    ] = 1.0


class AlertsTable(msgspec.Struct, frozen=True, kw_only=True):
    """When a connection needs attention: a line of WARNING, and what `foxtrot status` names."""

    rest_fallbacks: Annotated[
        int,
        Meta(ge=0, description="Answers by REST in place of a stream within the window that are told; 0 for never."),
    ] = 50
    reconnects: Annotated[
        int,
        Meta(
            ge=0,
            description="Connections made again within the window, lost or silent ones, and attempts to connect that failed, "
            "that are told; 0 for never.",
        ),
    ] = 5
    window_s: Annotated[float, Meta(gt=0, le=86_400, description="Length of the window, in seconds.")] = 300.0
    sick_book_s: Annotated[
        float,
        Meta(
            gt=0,
            description="How long a streamed book may be unusable while its market is open before a person is needed, in seconds.",
        ),
    ] = 60.0
    not_ready_s: Annotated[
        float, Meta(gt=0, description="How long an account may not be READY before a person is needed, in seconds.")
    ] = 60.0

    def rule(self) -> UnsteadyRule:
        """Return when a connection is told to fall back too often."""
        return UnsteadyRule(self.rest_fallbacks, self.reconnects, self.window_s)


class GuardianTable(msgspec.Struct, frozen=True, kw_only=True):
    """The guardian: a process of its own that cancels our entry orders when the platform gives no sign of life; see docs/kill.md."""

    enabled: Annotated[
        bool, Meta(description="Start it with every `foxtrot run`; with `--live` it is started in any case.")
    ] = False
    venue_countdown: Annotated[
        bool,
        Meta(
            description="Use the venue's own countdown too; refused where it would also cancel protective orders or those of others."
        ),
    ] = False
    late_s: Annotated[
        float,
        Meta(
            ge=2,
            le=60,
            description="How long the main thread of a platform may be silent whose process runs; one that is frozen or gone has 2 s.",
        ),
    ] = 10.0
    keys: Annotated[
        dict[str, dict[str, Text]],
        Meta(
            description='Keys of its own by account: `[guardian.keys.NAME]` with `api_key_env = "VARIABLE"` and the like; else those of the account.'
        ),
    ] = {}

    def __post_init__(self) -> None:
        """Refuse a key that stands in the file itself.

        Raises:
            ConfigError: a setting is no name of a variable.
        """
        for name, settings in self.keys.items():
            for key in settings:
                if not key.endswith("_env"):
                    raise ConfigError(
                        f"[guardian.keys.{name}] takes names of environment variables, such as api_key_env, not {key}"
                    )


class LogTable(msgspec.Struct, frozen=True, kw_only=True):
    """Where the log goes."""

    level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], Meta(description="Least severe lines that are written.")
    ] = "INFO"
    file: Annotated[
        str,
        Meta(
            description="Log file beside stderr, relative to this file; kept below 10 MB by rotation, 5 old ones; empty for none."
        ),
    ] = ""
