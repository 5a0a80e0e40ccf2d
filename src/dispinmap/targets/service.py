"""Adds, lists, changes and removes targets for people. The commands call this and show the answers."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from dispinmap.clock import Clock
from dispinmap.database.engine import Database, uninterrupted
from dispinmap.database.queries import channels, notifications, seen, submissions, targets
from dispinmap.database.tables import UNKNOWN_GUILD
from dispinmap.errors import UserError
from dispinmap.geocoding.client import GeocodingClient
from dispinmap.geocoding.models import Place
from dispinmap.outbox.waiting import reconsider
from dispinmap.pinballmap.client import PinballMapClient
from dispinmap.pinballmap.errors import PinballMapError
from dispinmap.pinballmap.models import Location, LocationHint, Submission
from dispinmap.targets import changes, latest, planning, transfer
from dispinmap.targets.changes import AddOutcome
from dispinmap.targets.kinds import Kinds
from dispinmap.targets.latest import LATEST_COUNT
from dispinmap.targets.lookup import Lookup
from dispinmap.targets.models import (
    Channel,
    ChannelRef,
    NewTarget,
    Target,
    WatchedTarget,
    checked_poll_rate,
)
from dispinmap.targets.selection import ListedTarget, listed
from dispinmap.targets.transfer import ImportPlan

__all__ = ["LATEST_COUNT", "AddOutcome", "Added", "ListedTarget", "TargetService"]

DEFAULT_SETTLE_WINDOW = timedelta(minutes=5)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Added:
    """What an add did. `latest` are the latest submissions there, newest first; they are not announced again.

    `problem` says why `latest` could not be fetched. The target is added even so.
    """

    target: Target
    outcome: AddOutcome
    latest: tuple[Submission, ...] = ()
    problem: str | None = None


class TargetService:
    """Every method raises UserError, PinballMapError or GeocodingError with a sentence for the person who asked."""

    def __init__(
        self,
        database: Database,
        pinballmap: PinballMapClient,
        geocoder: GeocodingClient,
        clock: Clock,
        *,
        settle_window: timedelta = DEFAULT_SETTLE_WINDOW,
    ) -> None:
        self._database = database
        self._pinballmap = pinballmap
        self._clock = clock
        self._settle_window = settle_window
        self._lookup = Lookup(pinballmap, geocoder, clock)
        # Discord reports joins and leaves in order, but SQLite does not keep waiting writers in order. Without this
        # lock, a server that the bot left and joined again could stay deactivated.
        self._guilds_in_order = asyncio.Lock()

    async def find_locations(self, text: str) -> tuple[Location, ...]:
        """Find by id, pinballmap.com link or name: one location for an exact match, several to choose from, or none."""
        return await self._lookup.locations(text)

    async def suggest_locations(self, text: str) -> tuple[LocationHint, ...]:
        """For autocomplete: cached, debounced, at most 25 hints, empty if Pinball Map fails."""
        return await self._lookup.suggestions(text)

    async def find_places(self, text: str) -> tuple[Place, ...]:
        """One place for an unambiguous city, several to choose from, or none."""
        return await self._lookup.places(text)

    async def add_location(self, channel: ChannelRef, location: Location) -> Added:
        return await self._add(channel, NewTarget.location(location))

    async def add_city(self, channel: ChannelRef, place: Place, radius_miles: float | None = None) -> Added:
        """Without a radius, the city keeps the one it already has, or gets the default."""
        return await self._add(channel, NewTarget.city(place, radius_miles))

    async def add_coordinates(
        self, channel: ChannelRef, latitude: float, longitude: float, radius_miles: float | None = None
    ) -> Added:
        """Without a radius, the default applies."""
        return await self._add(channel, NewTarget.point(latitude, longitude, radius_miles))

    async def _add(self, channel: ChannelRef, new: NewTarget) -> Added:
        now = self._clock.now()
        async with self._database.write() as session:
            await channels.ensure(session, channel, now)
            target_id, outcome = await changes.put(session, channel.channel_id, new, now)
            watched = await targets.get(session, target_id)
        _log.info("target_added", channel_id=channel.channel_id, target_id=target_id, outcome=outcome)
        if outcome is AddOutcome.ALREADY_THERE:
            return Added(watched.target, outcome)
        try:
            rows = await latest.fetch(self._pinballmap, watched.target)
        except PinballMapError as error:
            _log.warning("latest_submissions_unavailable", target_id=target_id, error=type(error).__name__)
            return Added(watched.target, outcome, problem=str(error))
        return Added(watched.target, outcome, await self._show(watched, rows))

    async def _show(self, watched: WatchedTarget, rows: Sequence[Submission]) -> tuple[Submission, ...]:
        """Store the submissions that the answer shows, so that no target of the channel announces them again."""
        shown = latest.shown(rows, watched.kinds)
        channel_id, ids = watched.channel.channel_id, [row.id for row in shown]
        async with self._database.write() as session:
            await submissions.remember(session, shown)
            await notifications.withdraw(session, channel_id, ids)
            await seen.mark_seen(session, [(channel_id, id_) for id_ in ids], self._clock.now())
        return shown

    @uninterrupted
    async def targets(self, channel_id: int) -> tuple[ListedTarget, ...]:
        """In the order in which they were added. Suggestions call this too, and are cancelled if it takes too long."""
        async with self._database.read() as session:
            return listed(await targets.of_channel(session, channel_id))

    async def channel(self, channel_id: int) -> Channel | None:
        """The channel's settings, or None if no one ever changed anything there."""
        async with self._database.read() as session:
            return await channels.get(session, channel_id)

    async def remove(self, channel_id: int, selector: str) -> Target:
        """`selector` is a number in `/list` or a name. Notifications that wait for this target only are cancelled."""
        async with self._database.write() as session:
            target = await changes.remove(session, channel_id, selector)
            await reconsider(session, channel_id, self._clock.now(), self._settle_window)
        _log.info("target_removed", channel_id=channel_id, target_id=target.id)
        return target

    async def set_poll_rate(
        self, channel: ChannelRef, minutes: int | None, selector: str | None = None
    ) -> Target | None:
        """For the channel, or for one target; None makes a target follow the channel again. Returns that target."""
        if minutes is not None:
            checked_poll_rate(minutes)
        now = self._clock.now()
        async with self._database.write() as session:
            await channels.ensure(session, channel, now)
            target_id = await changes.chosen(session, channel.channel_id, selector)
            await changes.set_poll_rate(session, channel.channel_id, target_id, minutes, now)
            await reconsider(session, channel.channel_id, now, self._settle_window)
            return None if target_id is None else (await targets.get(session, target_id)).target

    async def set_kinds(self, channel: ChannelRef, kinds: Kinds | None, selector: str | None = None) -> Target | None:
        """For the channel, or for one target; None makes a target follow the channel again. Returns that target.

        Waiting notifications that are no longer wanted are cancelled.
        """
        now = self._clock.now()
        async with self._database.write() as session:
            await channels.ensure(session, channel, now)
            target_id = await changes.chosen(session, channel.channel_id, selector)
            await changes.set_kinds(session, channel.channel_id, target_id, kinds, now)
            await reconsider(session, channel.channel_id, now, self._settle_window)
            return None if target_id is None else (await targets.get(session, target_id)).target

    async def latest_known(self, channel_id: int, limit: int = LATEST_COUNT) -> tuple[Submission, ...]:
        """The latest submissions that this channel was already shown, newest first."""
        async with self._database.read() as session:
            here = await targets.of_channel(session, channel_id)
            types = latest.types_of({watched.kinds for watched in here})
            return tuple(await seen.latest_shown(session, channel_id, types, limit))

    async def export(self, channel_id: int) -> str:
        """The channel's set-up as lines that `/import` reads back, here or elsewhere."""
        async with self._database.read() as session:
            channel = await channels.get(session, channel_id)
            here = await targets.of_channel(session, channel_id)
        if channel is None:
            raise UserError("This channel doesn’t watch anything yet. Start with `/add location`.")
        return transfer.export(channel, [watched.target for watched in here])

    async def plan_import(self, channel: ChannelRef, text: str) -> ImportPlan:
        """What an import would do. Changes nothing."""
        async with self._database.read() as session:
            here = await targets.of_channel(session, channel.channel_id)
        return await planning.plan(self._lookup, text, [watched.target for watched in here])

    async def apply_import(self, channel: ChannelRef, plan: ImportPlan) -> None:
        """Apply the plan's steps that have no problem, all or none. Earlier submissions are not announced."""
        now = self._clock.now()
        async with self._database.write() as session:
            await channels.ensure(session, channel, now)
            await changes.carry_out(session, channel.channel_id, plan, now)
            await reconsider(session, channel.channel_id, now, self._settle_window)
        _log.info("setup_imported", channel_id=channel.channel_id, actions=len(plan.actions))

    async def channel_deleted(self, channel_id: int) -> None:
        """A channel or thread was deleted: remove its targets and what waits for it."""
        async with self._database.write() as session:
            removed = await changes.forget_channel(session, channel_id, self._clock.now(), self._settle_window)
        if removed:
            _log.warning("channel_deleted", channel_id=channel_id, targets=removed)

    async def left_guild(self, guild_id: int) -> None:
        """The bot was removed from a server: deactivate its channels."""
        async with self._guilds_in_order, self._database.write() as session:
            deactivated = await channels.deactivate(session, [guild_id], self._clock.now())
        _log.info("guild_left", guild_id=guild_id, channels=deactivated)

    async def joined_guild(self, guild_id: int) -> None:
        """The bot joined a server, perhaps again: reactivate its channels."""
        async with self._guilds_in_order, self._database.write() as session:
            revived = await channels.revive(session, [guild_id], self._clock.now())
        _log.info("guild_joined", guild_id=guild_id, channels=revived)

    async def reconcile_guilds(self, guild_ids: Collection[int]) -> None:
        """The bot is in exactly these servers: reactivate their channels, and deactivate all others."""
        now, here = self._clock.now(), set(guild_ids)
        async with self._guilds_in_order, self._database.write() as session:
            active, inactive = await channels.guilds(session)
            # The channel of a hand-written target may be in any server, so leave it to a delivery to find out.
            deactivated = await channels.deactivate(session, active - here - {UNKNOWN_GUILD}, now)
            revived = await channels.revive(session, inactive & here, now)
        _log.info("guilds_reconciled", guilds=len(here), deactivated=deactivated, revived=revived)
