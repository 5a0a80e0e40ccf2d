"""Delivers messages. Each is saved first, then sent, then marked as sent. Retries use the same nonce."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NoReturn

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.clock import Clock, wait_for
from dispinmap.database.engine import Database, uninterrupted
from dispinmap.database.queries import outbox
from dispinmap.database.queries.outbox import SavedMessage
from dispinmap.outbox.batches import Measure, cards, first_message, nonce
from dispinmap.outbox.destination import (
    ChannelClosed,
    DeliveryError,
    DeliveryUnknown,
    Destination,
    MessageRejected,
    NotDelivered,
    OutgoingMessage,
)
from dispinmap.outbox.doubt import Doubts
from dispinmap.outbox.models import MessageState, Notification
from dispinmap.outbox.retry import message_delay, parking_delay
from dispinmap.outbox.waiting import note_served

IDLE: Final = timedelta(seconds=15)
"""The longest sleep, in case something becomes due and no one wakes the sender."""

PARALLEL_CHANNELS: Final = 16
"""Discord takes about 48 posts per second. Each takes 0.1 to 0.2 s there and some hundredths of a second in our
database. So 8 to 12 at once use the whole limit, and 16 do so even if some answers are slow. More would only queue for
the limit, and delay the bot's replies to people, which wait behind them. With 16, that is at most half a second.
"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Our own code failed for a channel, `failures` times in a row. The channel is left alone until `until`."""

    failures: int
    until: datetime


class Sender:
    """Delivers what is due: one message at a time in each channel, several channels at once."""

    def __init__(
        self,
        database: Database,
        destination: Destination,
        clock: Clock,
        measure: Measure,
        *,
        settle_window: timedelta,
        report: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        """`report` gets a sentence for each message that was given up, and for each failure of our own code."""
        self._database = database
        self._destination = destination
        self._doubts = Doubts(database, destination, clock)
        self._clock = clock
        self._measure = measure
        self._settle_window = settle_window
        self._report = report
        self._slots = asyncio.Semaphore(PARALLEL_CHANNELS)
        self._busy: set[int] = set()
        self._troubles: dict[int, _Trouble] = {}
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look again now, because something may have become due."""
        self._wake.set()

    async def run(self) -> NoReturn:
        """Deliver forever. A failure in one channel does not stop the others; only the database's failure ends this."""
        # Tasks of an earlier run that were cancelled before they began could not remove their channels.
        self._busy.clear()
        async with asyncio.TaskGroup() as channels:
            while True:
                self._wake.clear()
                ready, seconds = await self._look()
                for channel_id in ready:
                    self._busy.add(channel_id)
                    channels.create_task(self._serve(channel_id), name=f"deliver-{channel_id}")
                await wait_for(self._clock, self._wake, seconds)

    async def drain(self) -> bool:
        """Deliver everything that can leave now. Returns whether there was anything."""
        worked = False
        while channels := (await self._look())[0]:
            for channel_id in channels:
                if not await self.step(channel_id):
                    return worked
                worked = True
        return worked

    async def step(self, channel_id: int) -> bool:
        """Make one attempt at the channel's next message. Returns whether there was one."""
        message = await self._prepare(channel_id)
        if message is None:
            return False
        try:
            posted = await self._doubts.posted(message) or await self._post(message)
        except DeliveryError as error:
            await self._failed(message, error)
        else:
            await self._sent(message, posted)
        return True

    async def _serve(self, channel_id: int) -> None:
        try:
            while await self._turn(channel_id):
                self._troubles.pop(channel_id, None)
        except Exception as error:
            log.exception("channel_failed", channel_id=channel_id, failures=self._leave_alone(channel_id))
            self._report(f"Posting to channel {channel_id} failed with {type(error).__name__}: see the log.")
        finally:
            self._busy.discard(channel_id)
            self.wake()

    async def _turn(self, channel_id: int) -> bool:
        """One message if there is one. Then the slot goes to the channel that has waited longest."""
        async with self._slots:
            return await self._is_ready(channel_id) and await self.step(channel_id)

    def _leave_alone(self, channel_id: int) -> int:
        """Our own code failed for this channel: retry after longer and longer pauses. Returns the failures in a row."""
        failures = self._troubles[channel_id].failures + 1 if channel_id in self._troubles else 1
        self._troubles[channel_id] = _Trouble(failures, self._clock.now() + message_delay(failures))
        return failures

    @uninterrupted
    async def _look(self) -> tuple[list[int], float]:
        """The channels to serve now, and the seconds until the next look unless something wakes the sender."""
        # Use one time for both queries, or something that becomes due in between would be found late.
        now = self._clock.now()
        async with self._database.read() as session:
            ready = await outbox.ready_channels(session, now)
            next_at = await outbox.next_work_at(session, now)
        paused = {channel_id: each.until for channel_id, each in self._troubles.items() if each.until > now}
        moments = [now + IDLE, *paused.values(), *filter(None, (next_at,))]
        return [each for each in ready if each not in self._busy | paused.keys()], (min(moments) - now).total_seconds()

    @uninterrupted
    async def _is_ready(self, channel_id: int) -> bool:
        async with self._database.read() as session:
            return bool(await outbox.ready_channels(session, self._clock.now(), channel_id))

    @uninterrupted
    async def _prepare(self, channel_id: int) -> SavedMessage | None:
        """The message to attempt now, saved together with the note that an attempt has begun.

        After a crash, the note says that the message may have been posted.
        """
        now = self._clock.now()
        async with self._database.write() as session:
            message = await outbox.pending_message(session, channel_id)
            if message is None:
                chosen = first_message(await outbox.leaving(session, channel_id, now), self._measure)
                if not chosen:
                    return None
                carried = [each for card in chosen for each in card.notifications]
                name = nonce(channel_id, (each.submission.id for each in carried))
                message = await outbox.save_message(session, channel_id, name, carried, now)
                await note_served(session, channel_id, carried, now, self._settle_window)
            await outbox.begin_attempt(session, message, now)
        return message

    async def _post(self, message: SavedMessage) -> Mapping[int, int]:
        shown = tuple(cards(message.notifications, self._measure))
        post_id = await self._destination.send(OutgoingMessage(message.channel_id, message.nonce, shown))
        return dict.fromkeys((each.submission.id for each in message.notifications), post_id)

    @uninterrupted
    async def _sent(self, message: SavedMessage, posted: Mapping[int, int]) -> None:
        """The submissions in `posted` (submission id → post id) are in the channel; the others become a new message.

        The message's row keeps the submissions of the first post, so that no later message can get the same nonce.
        """
        now = self._clock.now()
        posts = [*dict.fromkeys(posted.values())]
        parts = [
            [each for each in message.notifications if posted.get(each.submission.id) == post_id] for post_id in posts
        ]
        rest = [each for each in message.notifications if each.submission.id not in posted]
        async with self._database.write() as session:
            await outbox.finish(session, message, MessageState.SENT, now, posted_id=posts[0], error=None)
            for post_id, carried in zip(posts[1:], parts[1:], strict=True):
                part = await _save_part(session, message, carried, now)
                await outbox.finish(session, part, MessageState.SENT, now, posted_id=post_id, error=None)
            if rest:
                await _save_part(session, message, rest, now)
            await outbox.unpark(session, message.channel_id)
        log.info(
            "message_sent",
            channel_id=message.channel_id,
            message_id=message.id,
            notifications=len(message.notifications) - len(rest),
            left=len(rest),
        )

    async def _failed(self, message: SavedMessage, error: DeliveryError) -> None:
        if isinstance(error, MessageRejected):
            await self._give_up(message, error)
        elif isinstance(error, ChannelClosed):
            await self._park(message, error)
        else:
            await self._postpone(message, error)

    @uninterrupted
    async def _postpone(self, message: SavedMessage, error: DeliveryError) -> None:
        retry_after = error.retry_after if isinstance(error, NotDelivered) else None
        until = self._clock.now() + message_delay(message.attempts + 1, retry_after)
        async with self._database.write() as session:
            await outbox.postpone(session, message, until, str(error), certainly_not_posted=_is_certain(message, error))
        log.warning(
            "delivery_failed", channel_id=message.channel_id, message_id=message.id, attempts=message.attempts + 1
        )

    @uninterrupted
    async def _park(self, message: SavedMessage, error: ChannelClosed) -> None:
        now = self._clock.now()
        async with self._database.write() as session:
            attempts = await outbox.parking_attempts(session, message.channel_id) + 1
            retry_at = now + parking_delay(attempts)
            await outbox.park(session, message.channel_id, str(error), attempts, now, retry_at)
            # Postpone the message only to now: when the parking ends, the message is free as well.
            await outbox.postpone(session, message, now, str(error), certainly_not_posted=_is_certain(message, error))
        log.warning("channel_parked", channel_id=message.channel_id, attempts=attempts, retry_at=retry_at.isoformat())

    @uninterrupted
    async def _give_up(self, message: SavedMessage, error: MessageRejected) -> None:
        """If the message has several notifications, try each half by itself: one of them may spoil the others."""
        middle = len(message.notifications) // 2
        halves = (message.notifications[:middle], message.notifications[middle:]) if middle else ()
        now = self._clock.now()
        async with self._database.write() as session:
            await outbox.finish(session, message, MessageState.REJECTED, now, posted_id=None, error=str(error))
            for half in halves:
                await _save_part(session, message, half, now)
        log.error("message_rejected", channel_id=message.channel_id, message_id=message.id, parts=len(halves))
        if not halves:
            self._report(str(error))


def _is_certain(message: SavedMessage, error: DeliveryError) -> bool:
    """Whether certainly nothing of this message is in the channel. An earlier unanswered attempt leaves a doubt."""
    return message.attempted_at is None and not isinstance(error, DeliveryUnknown)


async def _save_part(
    session: AsyncSession, whole: SavedMessage, carried: Sequence[Notification], now: datetime
) -> SavedMessage:
    name = nonce(whole.channel_id, (each.submission.id for each in carried))
    return await outbox.save_part(session, whole, name, carried, now)
