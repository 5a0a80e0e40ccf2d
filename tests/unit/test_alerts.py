"""When the operator is told, decided without a clock or a network."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from dispinmap.alerts.alarm import PATIENCE, Trouble, Troubles, decide, remembered
from dispinmap.health import REPORT, Part
from tests.fakes.values import NOON

SECOND = timedelta(seconds=1)
WELL = {"discord": Part(True, "Connected."), "drill": Part(True, "Good.")}
LOST = {**WELL, "discord": Part(False, "Not connected.", "As seen from here.")}
FAILED = {**WELL, "drill": Part(False, "It failed.")}
BLIND = {REPORT: Part(False, "Nothing is known.")}


def test_a_fault_is_told_once_it_has_stayed() -> None:
    troubles, news = decide({}, LOST, NOON)
    assert news == {}
    troubles, news = decide(troubles, LOST, NOON + PATIENCE - SECOND)
    assert news == {}
    troubles, news = decide(troubles, LOST, NOON + PATIENCE)
    assert news == {"discord": "⚠ DisPinMap, discord: Not connected. As seen from here."}
    troubles = remembered(troubles, "discord", LOST)
    assert decide(troubles, LOST, NOON + 9 * PATIENCE)[1] == {}


def test_a_failed_drill_is_told_at_once() -> None:
    assert list(decide({}, FAILED, NOON)[1]) == ["drill"]


def test_a_drill_that_failed_before_the_start_is_told_by_a_bot_that_stays() -> None:
    troubles, news = decide(None, FAILED, NOON)
    assert news == {}
    troubles, news = decide(troubles, FAILED, NOON + PATIENCE - SECOND)
    assert news == {}
    assert list(decide(troubles, FAILED, NOON + PATIENCE)[1]) == ["drill"]


def test_a_fault_that_passes_is_never_told() -> None:
    troubles, _ = decide({}, LOST, NOON)
    assert decide(troubles, WELL, NOON + PATIENCE) == ({}, {})


def test_the_end_of_a_told_fault_is_told_once() -> None:
    troubles, news = decide({"discord": Trouble(NOON, told=True)}, WELL, NOON + SECOND)
    assert news == {"discord": "✓ DisPinMap, discord: all is well again."}
    assert decide(remembered(troubles, "discord", WELL), WELL, NOON + 2 * SECOND) == ({}, {})


def test_a_failed_alert_is_repeated_next_time() -> None:
    troubles, news = decide({"discord": Trouble(NOON)}, LOST, NOON + PATIENCE)
    assert decide(troubles, LOST, NOON + PATIENCE + SECOND)[1] == news
    troubles, news = decide({"discord": Trouble(NOON, told=True)}, WELL, NOON)
    assert decide(troubles, WELL, NOON + SECOND)[1] == news


def test_without_a_report_no_fault_counts_as_ended() -> None:
    known = {"discord": Trouble(NOON, told=True), "drill": Trouble(NOON)}
    troubles, news = decide(known, BLIND, NOON + PATIENCE)
    assert (troubles, news) == ({**known, REPORT: Trouble(NOON + PATIENCE)}, {})
    assert list(decide(troubles, BLIND, NOON + 2 * PATIENCE)[1]) == [REPORT]


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=30))
def test_beginnings_and_ends_always_alternate(minutes: list[tuple[bool, bool, bool]]) -> None:
    """Each minute the part is at fault or not, the report fails or not, and the operator can be told or not."""
    troubles: Troubles = {}
    heard = ""
    for minute, (faulty, blind, reachable) in enumerate(minutes):
        found = BLIND if blind else LOST if faulty else WELL
        troubles, news = decide(troubles, found, NOON + minute * timedelta(minutes=1))
        if reachable:
            for name in news:
                troubles = remembered(troubles, name, found)
            heard += news.get("discord", "")[:1]
    assert heard == ("⚠✓" * len(minutes))[: len(heard)]
