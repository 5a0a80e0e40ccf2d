"""Turns new submissions in our copy into notifications."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.queries import notifications, seen, submissions, targets
from dispinmap.database.queries.batching import chunks
from dispinmap.matching.notify import notifications_for, one_per_channel
from dispinmap.outbox import due
from dispinmap.outbox.models import Notification, NotificationState
from dispinmap.pinballmap.models import Submission
from dispinmap.targets.models import Channel

GROUP: Final = 50
"""Submissions matched at once: few enough that their notifications fit into memory for any number of targets."""

Pair = tuple[int, int]
"""A channel id and a submission id."""
Undone = Sequence[tuple[Submission, Submission]]
"""Pairs of a removal and the addition that undid it."""


class Matcher:
    """Finds the channels that want a submission and saves a notification for each, in the caller's transaction."""

    def __init__(self, settle_window: timedelta) -> None:
        self._window = settle_window

    async def match(
        self, session: AsyncSession, rows: Sequence[Submission], history_until: datetime, now: datetime
    ) -> int:
        """Match rows of our copy that were not matched before. Returns the number of notifications.

        Rows created up to `history_until` are not announced.
        """
        news = [row for row in rows if row.created_at > history_until]
        made = 0
        if news:
            undone = await self._undone(session, news)
            known: dict[int, Channel] = {}
            for group in chunks(news, GROUP):
                made += await self._announce(session, group, known, undone, now)
            await notifications.cancel_unsent(session, [removal.id for removal, _ in undone])
        await submissions.mark_fed(session, [row.id for row in rows], now)
        return made

    async def _announce(
        self,
        session: AsyncSession,
        group: Sequence[Submission],
        known: dict[int, Channel],
        undone: Undone,
        now: datetime,
    ) -> int:
        wanted = one_per_channel(
            [
                each
                async for part in targets.around(session, group, known)
                for watched, rows in part
                for each in notifications_for(watched, rows, now, self._window)
            ]
        )
        marked = await seen.seen(session, [_pair(each) for each in wanted])
        fresh = [each for each in wanted if _pair(each) not in marked]
        dropped = await self._no_longer_news(session, fresh, undone)
        news = [each for each in fresh if _pair(each) not in dropped]
        await notifications.save(session, news, now)
        # Keep these, so that a later return can tell that the channel was never shown the removal.
        cancelled = [each for each in fresh if _pair(each) in dropped]
        await notifications.save(session, cancelled, now, NotificationState.CANCELLED)
        await seen.mark_notified(session, [row.id for row in group], now)
        return len(news)

    async def _undone(self, session: AsyncSession, news: Sequence[Submission]) -> Undone:
        """Removals that were undone, with the additions that undid them, if one of the two is in `news`."""
        since = min(row.created_at for row in news) - self._window
        until = max(row.created_at for row in news) + self._window
        new_ids = {row.id for row in news}
        rows = await submissions.machine_changes(session, since, until)
        return [pair for pair in due.undone(rows, self._window) if new_ids & {row.id for row in pair}]

    async def _no_longer_news(self, session: AsyncSession, fresh: Sequence[Notification], undone: Undone) -> set[Pair]:
        """The removals that were undone, and the additions that undid them unless the channel was shown the removal."""
        removals = {removal.id for removal, _ in undone}
        removal_of = {addition.id: removal.id for removal, addition in undone}
        returns = {
            _pair(each): (each.channel_id, removal_of[each.submission.id])
            for each in fresh
            if each.submission.id in removal_of
        }
        shown = await seen.shown(session, set(returns.values()))
        return {_pair(each) for each in fresh if each.submission.id in removals} | {
            addition for addition, removal in returns.items() if removal not in shown
        }


def _pair(notification: Notification) -> Pair:
    return notification.channel_id, notification.submission.id
