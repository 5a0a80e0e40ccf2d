"""Carries messages to their destination: saved first, then sent, then marked; repeated with the same nonce."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NoReturn

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.clock import Clock, wait_for
from dispinmap.database.engine import Database, undivided
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
from dispinmap.outbox.notifications import Notification
from dispinmap.outbox.retry import message_delay, parking_delay
from dispinmap.outbox.states import MessageState
from dispinmap.outbox.waiting import serve

IDLE: Final = timedelta(seconds=15)
"""How long a change that nobody announced to the sender can go unnoticed."""

PARALLEL_CHANNELS: Final = 16
"""Discord takes about 48 posts a second. Each needs 0.1 to 0.2 s there and some hundredths of a second in our database,
so that 8 to 12 at once use all of the limit, and 16 also if some answers are slow. More would only queue before the
limit and hold up a reply to a person, which waits behind them all: for half a second at most.
"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Trouble:
    """A channel in which our own code failed, `failures` times in a row; it is left alone until `until`."""

    failures: int
    until: datetime


class Sender:
    """Delivers what is due, channel by channel: one message at a time in each, several channels at once."""

    def __init__(
        self,
        database: Database,
        destination: Destination,
        clock: Clock,
        measure: Measure,
        *,
        settle_window: timedelta,
        report: Callable[[str], None] = lambda _sentence: None,
        parallel_channels: int = PARALLEL_CHANNELS,
    ) -> None:
        """`report` is told of every message that was given up, and of every failure of our own."""
        self._database = database
        self._destination = destination
        self._doubts = Doubts(database, destination, clock)
        self._clock = clock
        self._measure = measure
        self._settle_window = settle_window
        self._report = report
        self._slots = asyncio.Semaphore(parallel_channels)
        self._busy: set[int] = set()
        self._troubles: dict[int, _Trouble] = {}
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Something may have become due."""
        self._wake.set()

    async def run(self) -> NoReturn:
        """Deliver for ever. What goes wrong in one channel stays there; only the database's own failure ends it."""
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
        """Deliver everything that can leave at this moment; returns whether there was anything."""
        worked = False
        while channels := (await self._look())[0]:
            for channel_id in channels:
                if not await self.step(channel_id):
                    return worked
                worked = True
        return worked

    async def step(self, channel_id: int) -> bool:
        """One attempt at the channel's next message; returns whether there was one."""
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
        """One message if there is one; after it the slot goes to whoever has waited longest."""
        async with self._slots:
            return await self._is_ready(channel_id) and await self.step(channel_id)

    def _leave_alone(self, channel_id: int) -> int:
        """Our own code fails for this channel: try again later and later. Returns how often in a row it failed."""
        failures = self._troubles[channel_id].failures + 1 if channel_id in self._troubles else 1
        self._troubles[channel_id] = _Trouble(failures, self._clock.now() + message_delay(failures))
        return failures

    @undivided
    async def _look(self) -> tuple[list[int], float]:
        """The channels to serve now, and the seconds after which to look again if nobody calls."""
        # One moment for both questions: what becomes due between two would be found late.
        now = self._clock.now()
        async with self._database.read() as session:
            ready = await outbox.ready_channels(session, now)
            next_at = await outbox.next_work_at(session, now)
        paused = {channel_id: each.until for channel_id, each in self._troubles.items() if each.until > now}
        moments = [now + IDLE, *paused.values(), *filter(None, (next_at,))]
        return [each for each in ready if each not in self._busy | paused.keys()], (min(moments) - now).total_seconds()

    @undivided
    async def _is_ready(self, channel_id: int) -> bool:
        async with self._database.read() as session:
            return bool(await outbox.ready_channels(session, self._clock.now(), channel_id))

    @undivided
    async def _prepare(self, channel_id: int) -> SavedMessage | None:
        """The message to attempt now, committed together with the note that an attempt is under way."""
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
                await serve(session, channel_id, carried, now, self._settle_window)
            await outbox.begin_attempt(session, message, now)
        return message

    async def _post(self, message: SavedMessage) -> Mapping[int, int]:
        shown = tuple(cards(message.notifications, self._measure))
        post_id = await self._destination.send(OutgoingMessage(message.channel_id, message.nonce, shown))
        return dict.fromkeys((each.submission.id for each in message.notifications), post_id)

    @undivided
    async def _sent(self, message: SavedMessage, posted: Mapping[int, int]) -> None:
        """What `posted` names (submission id → post id) is in the channel; the rest becomes a message of its own.

        The row of the message stays with what is in the first post, so that no later message can derive its nonce.
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

    @undivided
    async def _postpone(self, message: SavedMessage, error: DeliveryError) -> None:
        retry_after = error.retry_after if isinstance(error, NotDelivered) else None
        until = self._clock.now() + message_delay(message.attempts + 1, retry_after)
        async with self._database.write() as session:
            await outbox.postpone(session, message, until, str(error), certainly_not_posted=_is_certain(message, error))
        log.warning(
            "delivery_failed", channel_id=message.channel_id, message_id=message.id, attempts=message.attempts + 1
        )

    @undivided
    async def _park(self, message: SavedMessage, error: ChannelClosed) -> None:
        now = self._clock.now()
        async with self._database.write() as session:
            attempts = await outbox.parking_attempts(session, message.channel_id) + 1
            retry_at = now + parking_delay(attempts)
            await outbox.park(session, message.channel_id, str(error), attempts, now, retry_at)
            # The parking alone holds the message, so that whoever ends it sets the message free.
            await outbox.postpone(session, message, now, str(error), certainly_not_posted=_is_certain(message, error))
        log.warning("channel_parked", channel_id=message.channel_id, attempts=attempts, retry_at=retry_at.isoformat())

    @undivided
    async def _give_up(self, message: SavedMessage, error: MessageRejected) -> None:
        """Where there are several notifications, each half gets its own chance: one of them may spoil the rest."""
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
    """Whether nothing of this message can be in the channel: an earlier unknown attempt leaves a doubt."""
    return message.attempted_at is None and not isinstance(error, DeliveryUnknown)


async def _save_part(
    session: AsyncSession, whole: SavedMessage, carried: Sequence[Notification], now: datetime
) -> SavedMessage:
    name = nonce(whole.channel_id, (each.submission.id for each in carried))
    return await outbox.save_part(session, whole, name, carried, now)
