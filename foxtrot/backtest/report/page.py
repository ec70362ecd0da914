"""The report page: template, style, script and chart library joined into one file that opens without a network."""

import json
from functools import cache
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from foxtrot.backtest.assumptions import ZERO_COST, ZERO_LATENCY
from foxtrot.backtest.report.chart_data import chart_data, trades_left_out
from foxtrot.backtest.report.number_text import groups, headline
from foxtrot.backtest.report.report_input import ReportInput
from foxtrot.domain.errors import ConfigError

FILE_NAME = "report.html"


_PACKAGE = "foxtrot.backtest.report"
_LIBRARY = "vendor/lightweight-charts.standalone.production.js"


def write_report(report: ReportInput, out_dir: Path) -> Path:
    """Write the page and return its path; the folder is made if need be, an older report replaced whole.

    Blocks: for the disk.

    Raises:
        ConfigError: the folder cannot be written.
    """
    path = out_dir / FILE_NAME
    part = path.with_suffix(".part")
    page = render(report)
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        part.write_text(page, "utf-8")
        part.replace(path)
    except OSError as error:
        raise ConfigError(
            f"the report cannot be written to {out_dir}: {error.strerror}; name another folder"
        ) from error
    return path


def render(report: ReportInput) -> str:
    """Return the page as text; the same input gives the same bytes."""
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            loud_warnings=[ZERO_COST] * report.zero_cost + [ZERO_LATENCY] * report.zero_latency,
            headline=headline(report.statistics),
            groups=groups(report.statistics),
            trades_left_out=trades_left_out(report),
            data=_script_json(chart_data(report)),
            library=Markup(_resource(_LIBRARY)),  # noqa: S704 - our own vendored file
            script=Markup(_resource("report.js")),  # noqa: S704 - our own file
        )
    )


def _script_json(value: object) -> Markup:
    """Return JSON that is safe between script tags: no "<" can end the element or open a comment."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 - escaped here


@cache
def _environment() -> Environment:
    loader = PackageLoader(_PACKAGE, "")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@cache
def _resource(name: str) -> str:
    return resources.files(_PACKAGE).joinpath(name).read_text("utf-8")
