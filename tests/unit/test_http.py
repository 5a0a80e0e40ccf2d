"""What both outside services share."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap.http import MAX_RETRY_AFTER_SECONDS, decode, retry_after, user_agent

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("0.5", 0.5),
        ("-5", 0),
        ("99999999", MAX_RETRY_AFTER_SECONDS),
        ("Sun, 01 Mar 2026 12:01:30 GMT", 90),
        ("Sun, 01 Mar 2026 12:01:30 -0000", 90),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("Sun, 01 Mar 2099 11:00:00 GMT", MAX_RETRY_AFTER_SECONDS),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("Sun, 01 Mar 99999999999 12:00:00 GMT", None),
        ("Sun, 01 Mar 2026 12:00:00 +99999999999999", None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(text: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": text}, NOW) == seconds


def test_without_the_header_there_is_no_wait_asked_for() -> None:
    assert retry_after({}, NOW) is None


@given(st.text())
def test_any_retry_after_is_a_bounded_number_or_none(text: str) -> None:
    seconds = retry_after({"Retry-After": text}, NOW)
    assert seconds is None or (math.isfinite(seconds) and 0 <= seconds <= MAX_RETRY_AFTER_SECONDS)


@given(st.binary())
def test_any_body_is_json_or_a_value_error(body: bytes) -> None:
    try:
        decode(body)
    except ValueError as error:
        assert not isinstance(error, RecursionError)  # noqa: PT017 - whether it raises depends on the example


def test_too_deep_a_body_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        decode(b"[" * 1_000_000)


def test_the_user_agent_names_the_bot_and_where_to_complain() -> None:
    assert user_agent().startswith("DisPinMap/")
    assert "(+https://github.com/dispinmap/dispinmap;" in user_agent()
