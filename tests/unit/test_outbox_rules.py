"""What leaves together, and when to try again."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap.discordbot.cards import link, measure, submission_ids
from dispinmap.outbox import retry
from dispinmap.outbox.batches import MAX_CARDS, MAX_CHARACTERS, NONCE_LENGTH, cards, first_message, nonce
from dispinmap.outbox.destination import Card
from dispinmap.outbox.models import Notification
from tests.fakes.values import NOON, notification, submission

notifications = st.lists(
    st.builds(
        lambda id_, location, comment: notification(submission(id_, location_id=location, comment=comment)),
        st.integers(1, 10**6),
        st.integers(1, 15) | st.none(),
        st.text(max_size=400),
    ),
    max_size=60,
    unique_by=lambda each: each.id,
)


def _ids(shown: Iterable[Card]) -> list[int]:
    return [each.id for card in shown for each in card.notifications]


@given(notifications)
def test_every_notification_is_on_exactly_one_card_and_each_card_is_of_one_location(due: list[Notification]) -> None:
    shown = cards(due, measure)
    assert sorted(_ids(shown)) == sorted(each.id for each in due)
    assert all(len({each.submission.location_id for each in card.notifications}) == 1 for card in shown)


@given(notifications)
def test_repeated_messages_carry_everything_within_the_limits(due: list[Notification]) -> None:
    rest, sent = due, []
    while rest:
        message = first_message(rest, measure)
        assert 0 < len(message) <= MAX_CARDS
        assert sum(measure(card) for card in message) <= MAX_CHARACTERS
        sent += _ids(message)
        rest = [each for each in rest if each.id not in sent]
    assert sorted(sent) == sorted(each.id for each in due)


@given(notifications)
def test_a_saved_message_is_cut_into_the_same_cards_again(due: list[Notification]) -> None:
    message = first_message(due, measure)
    chosen = set(_ids(message))
    assert tuple(cards([each for each in due if each.id in chosen], measure)) == message


def test_ten_changes_at_one_location_are_one_card() -> None:
    due = [notification(submission(n)) for n in range(10)]
    assert len(first_message(due, measure)) == 1


def test_cards_come_in_the_order_of_their_oldest_items() -> None:
    due = [notification(submission(n, location_id=location)) for n, location in ((1, 7), (2, 8), (3, 7))]
    assert [card.submission_ids for card in cards(due, measure)] == [(1, 3), (2,)]


@given(st.integers(0, 2**63), st.lists(st.integers(1, 10**9), min_size=1, unique=True))
def test_a_nonce_depends_on_channel_and_submissions_alone(channel_id: int, ids: list[int]) -> None:
    assert nonce(channel_id, ids) == nonce(channel_id, reversed(ids))
    assert nonce(channel_id, ids) != nonce(channel_id + 1, ids)
    assert len(nonce(channel_id, ids)) == NONCE_LENGTH


@given(st.integers(1, 10**6))
def test_pauses_grow_up_to_a_bound(attempts: int) -> None:
    assert retry.message_delay(attempts) <= retry.message_delay(attempts + 1) <= retry.LONGEST_RETRY
    assert retry.parking_delay(attempts) <= retry.parking_delay(attempts + 1) <= retry.LONGEST_PARKING


@pytest.mark.parametrize("retry_after", [float("inf"), float("nan"), -5.0, 1e300])
def test_no_impossible_pause_is_kept(retry_after: float) -> None:
    assert retry.FIRST_RETRY <= retry.message_delay(1, retry_after) <= retry.LONGEST_PARKING


def test_discord_is_never_asked_again_sooner_than_it_said() -> None:
    assert retry.message_delay(1, retry_after=3600) == timedelta(hours=1)


def test_an_attempt_is_in_doubt_once_its_nonce_no_longer_protects_it() -> None:
    assert not retry.is_in_doubt(None, NOON)
    assert not retry.is_in_doubt(NOON, NOON + retry.NONCE_LIFETIME)
    assert retry.is_in_doubt(NOON, NOON + retry.NONCE_LIFETIME + timedelta(seconds=1))
    assert retry.is_in_doubt(NOON, NOON - timedelta(hours=1))


@given(notifications)
def test_a_post_can_be_found_again_by_every_submission_in_it(due: list[Notification]) -> None:
    message = first_message(due, measure)
    carried = {id_ for card in message for id_ in submission_ids(link(card))}
    assert carried == {id_ for card in message for id_ in card.submission_ids}
