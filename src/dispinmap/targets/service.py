"""What people can ask for: add, list, change and remove targets. Commands call this and render the answer."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from dispinmap.clock import Clock
from dispinmap.database.engine import Database
from dispinmap.geocoding.client import GeocodingClient
from dispinmap.geocoding.models import Place
from dispinmap.outbox.destination import Item
from dispinmap.pinballmap.client import PinballMapClient
from dispinmap.pinballmap.models import Location, LocationHint
from dispinmap.targets.models import Channel, ChannelRef, NotificationKind, Target, WatchedTarget
from dispinmap.targets.transfer import ImportPlan

LATEST_COUNT = 5


class AddOutcome(StrEnum):
    ADDED = "added"
    RADIUS_CHANGED = "radius_changed"
    ALREADY_THERE = "already_there"


@dataclass(frozen=True, slots=True)
class Added:
    """What an add did. `latest` are the newest submissions there, newest first, now counted as seen.

    `problem` is the sentence that says why `latest` could not be fetched; the target is kept all the same.
    """

    target: Target
    outcome: AddOutcome
    latest: tuple[Item, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ListedTarget:
    """A target with its index, counted from 1 in the order of `/list`."""

    index: int
    watched: WatchedTarget


class TargetService:
    """Every method raises UserError, PinballMapError or GeocodingError with a sentence for the person who asked."""

    def __init__(
        self, database: Database, pinballmap: PinballMapClient, geocoder: GeocodingClient, clock: Clock
    ) -> None: ...

    async def find_locations(self, text: str) -> tuple[Location, ...]:
        """By id, by pinballmap.com link or by name. One for an exact hit, several to choose from, none for no hit."""

    async def suggest_locations(self, text: str) -> tuple[LocationHint, ...]:
        """For autocomplete while somebody types: cached, debounced, at most 25, empty where Pinball Map fails."""

    async def find_places(self, text: str) -> tuple[Place, ...]:
        """One for an unambiguous city, several to choose from, none for no hit."""

    async def add_location(self, channel: ChannelRef, location: Location) -> Added: ...

    async def add_city(self, channel: ChannelRef, place: Place, radius_miles: float | None = None) -> Added: ...

    async def add_coordinates(
        self, channel: ChannelRef, latitude: float, longitude: float, radius_miles: float | None = None
    ) -> Added: ...

    async def targets(self, channel_id: int) -> tuple[ListedTarget, ...]: ...

    async def channel(self, channel_id: int) -> Channel | None:
        """The channel's settings, or None where nothing was ever asked for there."""

    async def remove(self, channel_id: int, selector: str) -> Target:
        """`selector` is an index of `/list` or a name. What still waits for this target alone is cancelled."""

    async def set_poll_rate(
        self, channel: ChannelRef, minutes: int | None, selector: str | None = None
    ) -> Target | None:
        """For the channel, or for one target; None hands a target back to the channel. Returns that target."""

    async def set_kind(
        self, channel: ChannelRef, kind: NotificationKind | None, selector: str | None = None
    ) -> Target | None:
        """For the channel, or for one target; None hands a target back to the channel. Returns that target."""

    async def latest_known(self, channel_id: int, limit: int = LATEST_COUNT) -> tuple[Item, ...]:
        """The newest submissions this channel has already been shown, newest first."""

    async def export(self, channel_id: int) -> str:
        """The channel's set-up as lines that `/import` reads back, here or elsewhere."""

    async def plan_import(self, channel: ChannelRef, text: str) -> ImportPlan:
        """What an import would do; changes nothing."""

    async def apply_import(self, channel: ChannelRef, plan: ImportPlan) -> None: ...

    async def left_guild(self, guild_id: int) -> None:
        """The bot was removed from a server: its channels are deactivated."""

    async def joined_guild(self, guild_id: int) -> None:
        """The bot is (back) in a server: its channels are revived."""

    async def reconcile_guilds(self, guild_ids: Collection[int]) -> None:
        """The servers the bot is in right now: channels elsewhere are deactivated, those here revived."""
