"""What a backtest did."""

from decimal import Decimal
from pathlib import Path

import msgspec

from foxtrot.backtest.columns import Float64Column, Int64Column
from foxtrot.backtest.round_trips import Fill
from foxtrot.backtest.settings import BacktestSettings
from foxtrot.backtest.statistics import Statistic
from foxtrot.domain.order import TradeData


class BacktestResult(msgspec.Struct, frozen=True, eq=False):
    """What a backtest did, and with which settings.

    `statistics` has every figure by name; `equity` is sampled at every close (without bars: evenly); `bars` counts the bars,
    those of the warm-up included, `moments` all that was replayed. `denied` is how many orders each rule of risk refused,
    `refused` how many the venue rejected, or cancelled because the account could not pay, by its reason;
    `failures` what strategies raised, `warnings` what the reader of the files and the replay had to assume.
    """

    statistics: dict[str, Statistic]
    equity_time_ns: Int64Column
    equity: Float64Column
    fills: tuple[Fill, ...]
    trades: tuple[TradeData, ...]
    orders: int
    denied: dict[str, int]
    failures: tuple[str, ...]
    bars: int
    start_balance: Decimal
    end_balance: Decimal
    fees: Decimal
    elapsed_s: float
    state_hash: str
    settings: BacktestSettings
    moments: int = 0
    warnings: tuple[str, ...] = ()
    refused: dict[str, int] = {}

    @property
    def every_warning(self) -> list[str]:
        """Return the warnings, before them those of free or instant trading, after them what the venue refused."""
        from foxtrot.backtest.assumptions import cautions

        return [*cautions(self.settings), *self.warnings, *self.refusals]

    @property
    def refusals(self) -> list[str]:
        """Return why orders came to nothing at the venue, one sentence per reason."""
        text = "the venue refused {} orders, or what was left of them: {}"
        return [text.format(count, why) for why, count in self.refused.items()]

    def summary(self) -> dict[str, object]:
        """Return every figure by name, ready for JSON."""
        from foxtrot.backtest.summary import result_object

        return result_object(self, self.settings)

    def report(self, out_dir: str | Path) -> Path:
        """Write the report, one HTML file that needs no network, into a folder, and return its path.

        Blocks: for the disk.

        Raises:
            ConfigError: the folder cannot be written.
        """
        from foxtrot.backtest.report.page import write_report
        from foxtrot.backtest.summary import report_input

        return write_report(report_input(self, self.settings), Path(out_dir))
