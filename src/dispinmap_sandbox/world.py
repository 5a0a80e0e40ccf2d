"""The sandbox's world: the locations, their machines, and every submission about them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from dispinmap.clock import Clock
from dispinmap.pinballmap.models import SubmissionType
from dispinmap_sandbox.errors import SandboxError
from dispinmap_sandbox.facts import Facts, Machine, Venue, load_facts
from dispinmap_sandbox.history import past_submissions
from dispinmap_sandbox.submissions import Entry, Person, SubmissionRow, sentence

DEFAULT_USER = "sandbox_visitor"
FIRST_PERSON_ID = 90_001
LAST_HISTORY_ID = 680_000
"""In the range of today's Pinball Map: 505,959 in June 2025, and 330 a day since then (API.md)."""
FIRST_XREF_ID = 300_001
STEP_DEGREES = 0.0005
"""About 60 yards."""
UNKNOWN_TYPE = "sandbox_surprise"
"""Stands for a type that Pinball Map may add one day."""


@dataclass(frozen=True, slots=True)
class WorldLocation:
    """A location as it is now. Degrees; `state` and `country` are codes such as OR and US."""

    id: int
    name: str
    city: str
    state: str
    country: str
    region_id: int
    latitude: float
    longitude: float
    machines: tuple[Machine, ...]


@dataclass(frozen=True, slots=True)
class Placement:
    """A machine at a location since `created_at`. Each time it is added it gets a new `id`."""

    id: int
    machine: Machine
    created_at: datetime
    user: Person


class World:
    """Pinball Map's data. `history` is the number of submissions before the start.

    Every change is checked as on Pinball Map. An impossible one raises SandboxError and changes nothing.
    """

    def __init__(self, clock: Clock, *, history: int = 240, facts: Facts | None = None) -> None:
        facts = facts or load_facts()
        self._clock = clock
        self._next_id = LAST_HISTORY_ID + 1
        self._next_placement = FIRST_XREF_ID
        self._next_location = max(venue.id for venue in facts.venues) + 1
        self._people = {name: Person(FIRST_PERSON_ID + i, name) for i, name in enumerate(facts.people)}
        self._machines = {machine.id: machine for machine in facts.machines}
        self._venues = {venue.id: venue for venue in facts.venues}
        self._entries: list[Entry] = []
        self._feed: tuple[Entry, ...] | None = None
        self._lineups: dict[int, dict[int, Placement]] = {venue.id: {} for venue in facts.venues}
        self._remember(facts, history)

    @property
    def locations(self) -> tuple[WorldLocation, ...]:
        """Every location, in the order of the facts: Ground Kontrol first."""
        return tuple(self.location(location_id) for location_id in self._venues)

    @property
    def catalog(self) -> tuple[Machine, ...]:
        """Every machine this Pinball Map knows, sorted by name."""
        return tuple(sorted(self._machines.values(), key=lambda machine: machine.name.casefold()))

    @property
    def submissions(self) -> tuple[SubmissionRow, ...]:
        """Every visible submission, newest first, without raw data that a test injected."""
        return tuple(entry.row for entry in self.feed if entry.row is not None)

    @property
    def feed(self) -> tuple[Entry, ...]:
        """Everything visible, newest first by time and then by id, as the API serves it.

        Returns the same object until something changes.
        """
        if self._feed is None:
            self._feed = tuple(sorted(self._entries, key=lambda entry: entry.order, reverse=True))
        return self._feed

    def has_location(self, location_id: int) -> bool:
        return location_id in self._venues

    def location(self, location_id: int) -> WorldLocation:
        venue = self._venue(location_id)
        machines = sorted((placed.machine for placed in self.placements(location_id)), key=lambda m: m.name.casefold())
        return WorldLocation(
            venue.id,
            venue.name,
            venue.city,
            venue.state,
            venue.country,
            venue.region_id,
            venue.latitude,
            venue.longitude,
            tuple(machines),
        )

    def placements(self, location_id: int) -> tuple[Placement, ...]:
        """The machines at a location, in the order they were added."""
        return tuple(self._lineups[self._venue(location_id).id].values())

    def add_machine(self, location_id: int, machine_id: int, user_name: str = DEFAULT_USER) -> SubmissionRow:
        """Add a machine. It must not be there yet."""
        venue, machine, user = self._venue(location_id), self._machine(machine_id), self._person(user_name)
        if machine_id in self._lineups[location_id]:
            raise SandboxError(f"{machine.name} is already at {venue.name}: remove it first, or choose another.")
        self._place(venue, machine, user, self._clock.now())
        return self._report(SubmissionType.NEW_LMX, venue, user, machine)

    def remove_machine(self, location_id: int, machine_id: int, user_name: str = DEFAULT_USER) -> SubmissionRow:
        """Remove a machine. It must be there."""
        venue, machine, user = self._standing(location_id, machine_id, user_name)
        del self._lineups[location_id][machine_id]
        return self._report(SubmissionType.REMOVE_MACHINE, venue, user, machine)

    def comment(self, location_id: int, machine_id: int, text: str, user_name: str = DEFAULT_USER) -> SubmissionRow:
        """Comment on a machine that is there. The text must not be blank."""
        if not text.strip():
            raise SandboxError("The comment is empty: write a few words about the machine.")
        venue, machine, user = self._standing(location_id, machine_id, user_name)
        return self._report(SubmissionType.NEW_CONDITION, venue, user, machine, comment=text)

    def confirm(self, location_id: int, user_name: str = DEFAULT_USER) -> SubmissionRow:
        """Confirm the line-up."""
        return self._report(SubmissionType.CONFIRM_LOCATION, self._venue(location_id), self._person(user_name))

    def score(self, location_id: int, machine_id: int, points: int, user_name: str = DEFAULT_USER) -> SubmissionRow:
        """Post a high score on a machine that is there. It must be positive."""
        if points < 1:
            raise SandboxError("A score is at least 1: enter the points.")
        venue, machine, user = self._standing(location_id, machine_id, user_name)
        return self._report(SubmissionType.NEW_MSX, venue, user, machine, score=points)

    def open_location(self, beside: int, name: str, user_name: str = DEFAULT_USER) -> SubmissionRow:
        """Add a location without machines, a few steps from the location `beside`."""
        if not name.strip():
            raise SandboxError("The name is empty: enter one for the new location.")
        neighbour, user = self._venue(beside), self._person(user_name)
        latitude = neighbour.latitude + STEP_DEGREES
        venue = replace(neighbour, id=self._next_location, name=name.strip(), latitude=latitude, machine_ids=())
        self._next_location += 1
        self._venues[venue.id], self._lineups[venue.id] = venue, {}
        return self._report(SubmissionType.ADD_LOCATION, venue, user)

    def close_location(self, location_id: int, user_name: str = DEFAULT_USER) -> SubmissionRow:
        """Remove a location: first its machines, one by one, then the location itself."""
        venue, user = self._venue(location_id), self._person(user_name)
        for placed in self.placements(location_id):
            self.remove_machine(location_id, placed.machine.id, user_name)
        del self._venues[location_id], self._lineups[location_id]
        return self._report(SubmissionType.DELETE_LOCATION, venue, user)

    def report_unknown(self, location_id: int, text: str, user_name: str = DEFAULT_USER) -> SubmissionRow:
        """Report a change of a type that the bot does not know. `text` is Pinball Map's sentence."""
        venue, user = self._venue(location_id), self._person(user_name)
        row = SubmissionRow(self.reserve_id(), UNKNOWN_TYPE, text, self._clock.now(), user, venue)
        self.inject([row])
        return row

    def delete_submission(self, submission_id: int) -> None:
        """Hide a submission from every answer, like Pinball Map's soft delete."""
        kept = [entry for entry in self._entries if entry.get("id") != submission_id]
        if len(kept) == len(self._entries):
            raise SandboxError(f"There is no submission {submission_id}: it may already be deleted.")
        self._entries = kept
        self._feed = None

    def reserve_id(self) -> int:
        """Take the next submission id without using it, for a row that becomes visible after higher ones."""
        self._next_id += 1
        return self._next_id - 1

    def inject(self, rows: Iterable[object]) -> None:
        """Make raw rows visible exactly as they are: unknown types, wrong fields, or no row at all.

        A mapping is sorted by its `created_at`. If that is missing or malformed, it counts as created now.
        For a SubmissionRow, perhaps changed by `dataclasses.replace`, its payload becomes visible.
        """
        self._entries += [self._entry(row) for row in rows]
        self._feed = None

    def _entry(self, row: object) -> Entry:
        if isinstance(row, SubmissionRow):
            return Entry(row.created_at, row.payload(), row)
        now = self._clock.now()
        return Entry(_moment(Entry(now, row).get("created_at")) or now, row)

    def _remember(self, facts: Facts, how_many: int) -> None:
        """Make up the past, and set up today's line-ups with the dates that the past gives them."""
        now, people = self._clock.now(), tuple(self._people.values())
        past = past_submissions(facts, people, how_many=how_many, before=now, last_id=LAST_HISTORY_ID)
        self.inject(past)
        added = {
            (row.venue.id, row.machine.id): row.created_at
            for row in reversed(past)
            if row.machine and row.submission_type == SubmissionType.NEW_LMX
        }
        long_ago = past[-1].created_at if past else now
        for venue in facts.venues:
            for machine_id in venue.machine_ids:
                since = added.get((venue.id, machine_id), long_ago)
                self._place(venue, self._machines[machine_id], people[0], since)

    def _place(self, venue: Venue, machine: Machine, user: Person, since: datetime) -> None:
        self._lineups[venue.id][machine.id] = Placement(self._next_placement, machine, since, user)
        self._next_placement += 1

    def _report(
        self,
        kind: SubmissionType,
        venue: Venue,
        user: Person,
        machine: Machine | None = None,
        comment: str | None = None,
        score: int | None = None,
    ) -> SubmissionRow:
        text = sentence(kind, venue, user, machine, comment, score)
        row = SubmissionRow(self.reserve_id(), kind, text, self._clock.now(), user, venue, machine, comment, score)
        self.inject([row])
        return row

    def _standing(self, location_id: int, machine_id: int, user_name: str) -> tuple[Venue, Machine, Person]:
        venue, machine = self._venue(location_id), self._machine(machine_id)
        if machine_id not in self._lineups[location_id]:
            raise SandboxError(f"{machine.name} is not at {venue.name}: add it first, or choose another.")
        return venue, machine, self._person(user_name)

    def _venue(self, location_id: int) -> Venue:
        if location_id not in self._venues:
            raise SandboxError(f"There is no location {location_id} in the sandbox: choose one from the list.")
        return self._venues[location_id]

    def _machine(self, machine_id: int) -> Machine:
        if machine_id not in self._machines:
            raise SandboxError(f"There is no machine {machine_id} in the sandbox: choose one from the catalogue.")
        return self._machines[machine_id]

    def _person(self, name: str) -> Person:
        if not name.strip():
            raise SandboxError("The user name is empty: say who reports the change.")
        return self._people.setdefault(name, Person(FIRST_PERSON_ID + len(self._people), name))


def _moment(text: object) -> datetime | None:
    """An aware time, or None for anything else."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
