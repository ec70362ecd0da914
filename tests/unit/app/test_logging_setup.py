"""The log never holds up who writes to it, keeps order, counts what it drops, and ends when told."""

import logging
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from loguru import logger

from foxtrot.app.log_file import LogFile
from foxtrot.app.log_queue import LogLine, LogQueue
from foxtrot.app.logging_setup import THREAD, LogWriter, start_logging
from foxtrot.app.secrets import Redactor, Secret
from foxtrot.domain.errors import ConfigError


class Written:
    """A stream that keeps what it is given, and can be held up."""

    def __init__(self) -> None:
        self.text = ""
        self.may_write = threading.Event()
        self.may_write.set()
        self.waiting = threading.Event()

    def write(self, text: str) -> None:
        self.waiting.set()
        self.may_write.wait()
        self.text += text

    def flush(self) -> None:
        pass

    def said(self) -> list[str]:
        """Return the message of each line."""
        return [line.split(" ", 2)[2].strip() for line in self.text.splitlines()]


@pytest.fixture
def stalled():
    """Return a stream that is held up, and let it go at the end."""
    stream = Written()
    stream.may_write.clear()
    yield stream
    stream.may_write.set()


def stall(stream: Written, capacity: int) -> LogWriter:
    writer = start_logging("DEBUG", stream=stream, capacity=capacity)
    logger.info("first")
    assert stream.waiting.wait(5)
    return writer


def test_a_stalled_sink_does_not_block_the_caller(stalled: Written) -> None:
    writer = stall(stalled, 100)
    started = time.monotonic()
    for number in range(2_000):
        logger.info("line {}", number)
    assert time.monotonic() - started < 2.0
    stalled.may_write.set()
    assert writer.stop().overran == ""


def test_overflow_drops_debug_and_info_with_a_count_and_no_warning(stalled: Written) -> None:
    writer = stall(stalled, 10)
    for number in range(50):
        logger.debug("debug {}", number)
        logger.warning("warning {}", number)
    assert writer.queue.dropped == 40
    stalled.may_write.set()
    end = writer.stop()
    assert (end.overran, end.unwritten, end.dropped) == ("", 0, 40)
    said = stalled.said()
    assert [line for line in said if line.startswith("warning")] == [f"warning {number}" for number in range(50)]
    assert [line for line in said if line.startswith("debug")] == [f"debug {number}" for number in range(10)]
    assert "40 lines of DEBUG and INFO were dropped" in stalled.text


def test_lines_keep_their_order_across_levels() -> None:
    stream = Written()
    writer = start_logging("DEBUG", stream=stream)
    for number in range(300):
        logger.log(("DEBUG", "INFO", "WARNING", "ERROR")[number % 4], "{}", number)
    writer.stop()
    assert stream.said() == [str(number) for number in range(300)]


def test_stop_past_its_deadline_names_the_thread_and_counts_what_is_left(stalled: Written) -> None:
    writer = stall(stalled, 100)
    logger.warning("second")
    end = writer.stop(deadline_s=0.05)
    assert (end.overran, end.unwritten) == (THREAD, 1)
    stalled.may_write.set()
    assert writer.stop().overran == ""
    assert stalled.said() == ["first", "second"]


def test_stop_can_be_called_again_and_later_lines_go_nowhere() -> None:
    stream = Written()
    writer = start_logging(stream=stream)
    logger.info("kept")
    assert writer.stop() == writer.stop()
    logger.info("too late")
    logging.getLogger("sdk").warning("too late")
    assert stream.said() == ["kept"]
    assert THREAD not in {thread.name for thread in threading.enumerate()}


def test_bound_ids_stand_in_the_line_and_braces_are_left_alone() -> None:
    stream = Written()
    writer = start_logging(stream=stream)
    logger.bind(strategy_id="ma", order_id="ft-ma-1").info("sent {x} <b>")
    writer.stop()
    assert stream.text.endswith(" INFO     strategy_id=ma order_id=ft-ma-1 sent {x} <b>\n")
    assert stream.text[26] == "Z"


def test_secrets_are_masked_in_lines_bound_values_and_tracebacks() -> None:
    stream = Written()
    redactor = Redactor()
    writer = start_logging(stream=stream, redactor=redactor)
    redactor.add(Secret("hush-hush"))
    logger.bind(key="hush-hush").info("hush-hush")
    try:
        raise ValueError("hush-hush")
    except ValueError:
        logger.exception("failed")
    writer.stop()
    assert "hush" not in stream.text
    assert "ValueError: ***" in stream.text


def test_levels_below_the_one_asked_for_are_not_written() -> None:
    stream = Written()
    writer = start_logging("WARNING", stream=stream)
    logger.info("no")
    logger.warning("yes")
    writer.stop()
    assert stream.said() == ["yes"]


def test_lines_of_the_standard_library_are_written_too() -> None:
    stream = Written()
    writer = start_logging(stream=stream)
    logging.getLogger("sdk").warning("code %s {}", 3)
    writer.stop()
    assert "WARNING  logger=sdk code 3 {}" in stream.text


def test_the_file_holds_the_same_lines_even_when_the_stream_is_gone(tmp_path: Path) -> None:
    class Gone(Written):
        def write(self, text: str) -> None:
            raise BrokenPipeError

    path = tmp_path / "log" / "foxtrot.log"
    writer = start_logging(file=path, stream=Gone())
    logger.info("kept")
    writer.stop()
    assert path.read_text("utf-8").endswith(" kept\n")
    assert writer.failures == 1


def test_a_file_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        LogFile(tmp_path / "plain" / "foxtrot.log")


def test_a_file_that_has_grown_is_rotated_and_the_oldest_deleted(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "a.log", max_bytes=10, kept=2)
    for number in range(5):
        file.write(f"line {number}\n")
    file.close()
    found = {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()}
    assert found == {"a.log": "line 4\n", "a.log.1": "line 3\n", "a.log.2": "line 2\n"}


def test_a_closed_queue_takes_nothing_and_lets_its_reader_end() -> None:
    queue = LogQueue(1)
    queue.close()
    assert not queue.put(LogLine(datetime.now(UTC), "INFO", {}, "late"), important=True)
    assert queue.take() == []
