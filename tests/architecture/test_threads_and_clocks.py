"""The list of files that may start a thread or process, sleep, or read a clock; everything else is handed its time."""

import tomllib
from fnmatch import fnmatch

from tests.architecture.source_tree import REPOSITORY, Module, modules, parse, uses

CLOCKS = {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "localtime", "gmtime"}
KINDS: dict[str, str] = {
    **{f"time.{name}": "clock" for name in CLOCKS},
    "time.process_time": "clock",
    "time.thread_time": "clock",
    "datetime.datetime.now": "clock",
    "datetime.datetime.utcnow": "clock",
    "datetime.datetime.today": "clock",
    "datetime.date.today": "clock",
    "time.sleep": "sleep",
    "asyncio.sleep": "sleep",
    "threading.Thread": "thread",
    "threading.Timer": "thread",
    "concurrent.futures.ThreadPoolExecutor": "thread",
    "concurrent.futures.ProcessPoolExecutor": "process",
    "multiprocessing.Process": "process",
    "multiprocessing.Pool": "process",
    "os.fork": "process",
}

# path pattern → what it may do, and why.
ALLOWED: dict[str, tuple[set[str], str]] = {
    "foxtrot/core/clock.py": ({"clock"}, "the one place where the system's time enters"),
    "foxtrot/core/event_engine.py": ({"thread", "clock"}, "owns foxtrot-engine; its timers and lag need real time"),
    "foxtrot/storage/recorder.py": ({"thread", "clock"}, "owns the recorder thread; its stop has a deadline"),
    "foxtrot/storage/durable_journal.py": ({"thread"}, "owns foxtrot-journal"),
    "foxtrot/app/logging_setup.py": ({"thread", "clock"}, "owns foxtrot-log; its stop has a deadline"),
    "foxtrot/app/pace.py": (
        {"thread"},
        "owns foxtrot-pace, which shows that the process runs though its main thread is late",
    ),
    "foxtrot/app/loopback_http.py": ({"thread"}, "owns the threads of a server for this machine alone"),
    "foxtrot/adapter/bridge.py": (
        {"thread", "clock", "sleep"},
        "owns an asyncio loop's thread for one adapter, for the hub or for one of its clients; at its end it lets the loop go round",
    ),
    "foxtrot/adapter/*/session.py": ({"thread", "clock", "sleep"}, "owns a venue's connection and its thread"),
    "foxtrot/adapter/worker.py": ({"thread"}, "owns the threads that make blocking calls of an SDK"),
    "foxtrot/exchange/server.py": ({"thread", "clock"}, "owns exchange-io"),
    "foxtrot/exchange/serving/*.py": ({"sleep"}, "waits on exchange-io for sockets and delays that a fault asks for"),
    "foxtrot/app/money_history.py": (
        {"thread", "clock"},
        "owns foxtrot-history, which reads the journal while the engine goes on",
    ),
    "foxtrot/gui/link.py": (
        {"thread"},
        "owns foxtrot-kill, on which a KILL waits for a hand-over that does not end while the window goes on",
    ),
    "foxtrot/gui/platform_host.py": ({"thread"}, "owns foxtrot-platform, on which a platform lives beside a window"),
    "foxtrot/gui/watchdog.py": (
        {"thread"},
        "owns foxtrot-window-watch, which says where the desktop's thread stands while that cannot",
    ),
    "foxtrot/gui/*.py": ({"clock"}, "a window measures how smoothly it runs, and tells a double click from two wishes"),
    "foxtrot/backtest/runner.py": ({"clock"}, "measures how long the backtest took, for elapsed_s and bars_per_s"),
    "foxtrot/backtest/optimise.py": ({"process", "clock"}, "spreads a grid over processes and shows the time it takes"),
}

SEEDABLE = {"random.Random"}


def unlisted(module: Module) -> list[str]:
    """Uses of threads, sleeps and clocks that the list does not allow."""
    allowed: set[str] = set()
    for pattern, (kinds, _) in ALLOWED.items():
        if fnmatch(module.path, pattern):
            allowed |= kinds
    return [
        f"{module.path}:{line}: {what}" for what, line in uses(module) if what in KINDS and KINDS[what] not in allowed
    ]


def unseeded(module: Module) -> list[str]:
    """Uses of the shared random generator, whose results no seed of ours decides."""
    return [f"{module.path}:{line}: {what}" for what, line in uses(module) if _is_global_random(what)]


def _is_global_random(what: str) -> bool:
    parts = what.split(".")
    return parts[0] == "random" and len(parts) == 2 and what not in SEEDABLE


def test_only_listed_files_start_threads_sleep_or_read_clocks() -> None:
    assert [use for module in modules() for use in unlisted(module)] == []


def test_no_file_uses_the_shared_random_generator() -> None:
    assert [use for module in modules() for use in unseeded(module)] == []


def test_every_listed_file_that_exists_needs_its_place_in_the_list() -> None:
    idle = []
    for pattern, (kinds, _) in ALLOWED.items():
        files = [module for module in modules() if fnmatch(module.path, pattern)]
        used = {KINDS[what] for file in files for what, _ in uses(file) if what in KINDS}
        if files and not used & kinds:
            idle.append(pattern)
    assert idle == []


def test_the_linters_list_of_threads_and_clocks_holds_no_other_file() -> None:
    ruff = tomllib.loads((REPOSITORY / "config" / "ruff.toml").read_text("utf-8"))
    lifted = {pattern for pattern, rules in ruff["lint"]["per-file-ignores"].items() if "TID251" in rules}
    assert lifted - {"tests/*"} <= set(ALLOWED)


def test_a_thread_a_sleep_a_clock_and_shared_randomness_are_each_caught_under_any_name() -> None:
    text = (
        "import time as t\nfrom threading import Thread\nfrom datetime import datetime as d\nimport random\n"
        "t.sleep(1)\nThread()\nd.now()\nt.monotonic_ns()\nrandom.random()\nrandom.Random(1).random()\n"
    )
    module = parse("foxtrot/trading/risk.py", text)
    assert [use.rpartition(" ")[2] for use in unlisted(module)] == [
        "time.sleep",
        "threading.Thread",
        "datetime.datetime.now",
        "time.monotonic_ns",
    ]
    assert [use.rpartition(" ")[2] for use in unseeded(module)] == ["random.random"]
