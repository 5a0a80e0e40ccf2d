"""A neighbour for the command tests: targets in memory, and what Pinball Map and the geocoder would find."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime

from dispinmap.errors import UserError
from dispinmap.geocoding.models import Place
from dispinmap.pinballmap.models import Location, LocationHint, Submission
from dispinmap.targets.kinds import DEFAULT_KINDS, Kinds
from dispinmap.targets.models import (
    DEFAULT_POLL_RATE_MINUTES,
    Area,
    Channel,
    ChannelRef,
    Target,
    TargetType,
    WatchedTarget,
)
from dispinmap.targets.selection import reference
from dispinmap.targets.service import Added, AddOutcome, ListedTarget, TargetService
from dispinmap.targets.transfer import ImportPlan

CREATED = datetime(2026, 3, 1, 11, 0, tzinfo=UTC)


class FakeTargetService(TargetService):
    """Set the public attributes to what should be found; `failure` is raised by every method once set."""

    def __init__(self) -> None:
        self.locations: tuple[Location, ...] = ()
        self.hints: tuple[LocationHint, ...] = ()
        self.places: tuple[Place, ...] = ()
        self.latest: tuple[Submission, ...] = ()
        self.latest_problem: str | None = None
        self.exported = ""
        self.plan = ImportPlan(())
        self.planned_text = ""
        self.applied: list[ImportPlan] = []
        self.failure: Exception | None = None
        self.asked: list[str] = []
        self.guild_calls: list[tuple[str, object]] = []
        self.deleted_channels: list[int] = []
        self._channel: Channel | None = None
        self._targets: list[Target] = []

    def watch(self, *targets: Target) -> None:
        """Have these targets from the start."""
        self._targets += targets

    async def find_locations(self, text: str) -> tuple[Location, ...]:
        self._called(text)
        return self.locations

    async def suggest_locations(self, text: str) -> tuple[LocationHint, ...]:
        self._called(text)
        return self.hints

    async def find_places(self, text: str) -> tuple[Place, ...]:
        self._called(text)
        return self.places

    async def add_location(self, channel: ChannelRef, location: Location) -> Added:
        return self._watch_new(channel, TargetType.LOCATION, location.name, None, location.id)

    async def add_city(self, channel: ChannelRef, place: Place, radius_miles: float | None = None) -> Added:
        area = Area(place.latitude, place.longitude, radius_miles)
        return self._watch_new(channel, TargetType.CITY, str(area), place.label)

    async def add_coordinates(
        self, channel: ChannelRef, latitude: float, longitude: float, radius_miles: float | None = None
    ) -> Added:
        return self._watch_new(channel, TargetType.LATLONG, str(Area(latitude, longitude, radius_miles)))

    def _watch_new(
        self,
        channel: ChannelRef,
        kind: TargetType,
        name: str,
        display_name: str | None = None,
        location_id: int | None = None,
    ) -> Added:
        self._called(name)
        self._channel = self._channel or Channel(channel.channel_id, channel.guild_id)
        known = [one for one in self._targets if (one.target_name, one.type) == (name, kind)]
        if known:
            return Added(known[0], AddOutcome.ALREADY_THERE)
        target = Target(len(self._targets) + 1, channel.channel_id, kind, name, CREATED, display_name, location_id)
        self._targets.append(target)
        return Added(target, AddOutcome.ADDED, self.latest, self.latest_problem)

    async def targets(self, channel_id: int) -> tuple[ListedTarget, ...]:
        self._called(str(channel_id))
        channel = self._channel or Channel(channel_id, 0)
        return tuple(
            ListedTarget(index, WatchedTarget(target, channel)) for index, target in enumerate(self._targets, start=1)
        )

    async def channel(self, channel_id: int) -> Channel | None:
        self._called(str(channel_id))
        return self._channel

    async def remove(self, channel_id: int, selector: str) -> Target:
        self._called(f"{channel_id} {selector}")
        target = self._picked(selector)
        self._targets.remove(target)
        return target

    async def set_poll_rate(
        self, channel: ChannelRef, minutes: int | None, selector: str | None = None
    ) -> Target | None:
        settings = self._fake_settings(channel)
        if selector is None:
            self._channel = replace(settings, poll_rate_minutes=minutes or DEFAULT_POLL_RATE_MINUTES)
            return None
        return self._swap(selector, poll_rate_minutes=minutes)

    async def set_kinds(self, channel: ChannelRef, kinds: Kinds | None, selector: str | None = None) -> Target | None:
        settings = self._fake_settings(channel)
        if selector is None:
            self._channel = replace(settings, kinds=kinds or DEFAULT_KINDS)
            return None
        return self._swap(selector, kinds=kinds)

    def _fake_settings(self, channel: ChannelRef) -> Channel:
        self._called("settings")
        return self._channel or Channel(channel.channel_id, channel.guild_id)

    def _swap(self, selector: str, **changes: object) -> Target:
        old = self._picked(selector)
        new = replace(old, **changes)  # type: ignore[arg-type]  # the callers above name fields of Target
        self._targets[self._targets.index(old)] = new
        return new

    def _picked(self, selector: str) -> Target:
        for index, target in enumerate(self._targets, start=1):
            if selector in (str(index), target.label, reference(target)):
                return target
        raise UserError(f"No target here is called “{selector}”: look at the list.")

    async def latest_known(self, channel_id: int, limit: int = 5) -> tuple[Submission, ...]:
        self._called(str(channel_id))
        return self.latest[:limit]

    async def export(self, channel_id: int) -> str:
        self._called(str(channel_id))
        return self.exported

    async def plan_import(self, channel: ChannelRef, text: str) -> ImportPlan:
        self._called(str(channel.channel_id))
        self.planned_text = text
        return self.plan

    async def apply_import(self, channel: ChannelRef, plan: ImportPlan) -> None:
        self._called(str(channel.channel_id))
        self.applied.append(plan)

    async def channel_deleted(self, channel_id: int) -> None:
        self.deleted_channels.append(channel_id)

    async def left_guild(self, guild_id: int) -> None:
        self.guild_calls.append(("left", guild_id))

    async def joined_guild(self, guild_id: int) -> None:
        self.guild_calls.append(("joined", guild_id))

    async def reconcile_guilds(self, guild_ids: Collection[int]) -> None:
        self.guild_calls.append(("all", sorted(guild_ids)))

    def _called(self, what: str) -> None:
        self.asked.append(what)
        if self.failure is not None:
            raise self.failure
