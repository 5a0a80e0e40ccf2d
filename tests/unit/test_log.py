"""What is in the log, and what never is."""

import json
import logging
from collections.abc import Iterator

import pytest
import stamina.instrumentation
import structlog

from dispinmap import log

SECRET = "a-token-that-nobody-may-see"


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in log._QUIET}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, least in levels.items():
        logging.getLogger(name).setLevel(least)
    structlog.reset_defaults()
    stamina.instrumentation.set_on_retry_hooks(None)


def _fail(comment: str) -> None:
    raise ValueError(f"{len(comment)} {SECRET}")


def _report_failure() -> None:
    try:
        _fail("words of somebody")
    except ValueError:
        structlog.get_logger("test").exception("it_failed", channel_id=10, token=SECRET)
        logging.getLogger("library").exception("with %s", SECRET)


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_tracebacks_hold_neither_secrets_nor_local_variables(
    capsys: pytest.CaptureFixture[str], log_format: str
) -> None:
    log.configure("INFO", "json" if log_format == "json" else "console", [SECRET])
    _report_failure()
    written = capsys.readouterr().err
    assert SECRET not in written
    assert log.MASK in written
    assert "ValueError" in written
    assert "comment = " not in written


def test_json_is_one_object_a_line_with_the_event_and_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO", "json")
    structlog.get_logger("test").info("message_sent", channel_id=10)
    structlog.get_logger("test").debug("not_heard")
    (line,) = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    assert (entry["event"], entry["channel_id"], entry["level"], entry["logger"]) == (
        "message_sent",
        10,
        "info",
        "test",
    )
