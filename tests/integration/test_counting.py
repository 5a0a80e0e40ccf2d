"""What is counted for the metrics is what happened."""

import pytest

from dispinmap.database.queries.status import status
from dispinmap.outbox.counting import CountingDestination
from dispinmap.outbox.destination import (
    Card,
    ChannelClosed,
    DeliveryError,
    DeliveryUnknown,
    MessageRejected,
    NotDelivered,
    OutgoingMessage,
)
from tests.fakes.clock import ManualClock
from tests.fakes.destination import FakeDestination
from tests.fakes.pipeline import Pipeline
from tests.fakes.values import GROUND_KONTROL, NOON, notification, submission

MESSAGE = OutgoingMessage(10, "v1-abc", (Card((notification(submission(1)),)),))
MONSTER_BASH = 641


def happened(destination: CountingDestination) -> dict[str, int]:
    return {outcome: count for outcome, count in destination.outcomes.items() if count}


@pytest.mark.parametrize(
    ("refusal", "outcome"),
    [
        (NotDelivered("later"), "not_delivered"),
        (DeliveryUnknown("perhaps"), "unknown"),
        (ChannelClosed("gone"), "channel_closed"),
        (MessageRejected("never"), "rejected"),
    ],
)
async def test_an_attempt_that_fails_is_counted_by_what_to_do_next(
    clock: ManualClock, refusal: DeliveryError, outcome: str
) -> None:
    fake = FakeDestination(clock)
    fake.refusals = [refusal]
    counting = CountingDestination(fake)
    with pytest.raises(type(refusal)):
        await counting.send(MESSAGE)
    assert happened(counting) == {outcome: 1}


async def test_posts_made_and_posts_found_are_counted(clock: ManualClock) -> None:
    counting = CountingDestination(FakeDestination(clock))
    assert not await counting.find(10, [1], NOON)
    await counting.send(MESSAGE)
    assert await counting.find(10, [1], NOON)
    assert happened(counting) == {"sent": 1, "found": 1}


async def test_polls_submissions_and_notifications_are_counted(pipeline: Pipeline) -> None:
    await pipeline.watch(kind="all")
    await pipeline.turn()
    async with pipeline.database.read() as session:
        before = await status(session, pipeline.clock.now())
    pipeline.world.comment(GROUND_KONTROL, MONSTER_BASH, "plays well")
    await pipeline.turn()
    async with pipeline.database.read() as session:
        after = await status(session, pipeline.clock.now())
    assert before.watched_since == after.watched_since
    assert before.watched_since is not None
    assert before.watched_since <= pipeline.clock.now()
    assert after.submissions == before.submissions + 1
    assert before.notifications == {"pending": 0, "sent": 0, "cancelled": 0, "rejected": 0}
    assert after.notifications == {"pending": 0, "sent": 1, "cancelled": 0, "rejected": 0}
    good = pipeline.poller.polls["ok"]
    await pipeline.server.stop()
    await pipeline.turn()
    assert pipeline.poller.polls == {"ok": good, "failed": 1}
