"""The sandbox's world: what stands where, and everything that was ever reported about it."""

from bisect import insort_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from dispinmap.clock import Clock
from dispinmap.pinballmap.models import SubmissionType
from dispinmap.sandbox.errors import SandboxError
from dispinmap.sandbox.facts import Facts, Machine, Venue, load_facts
from dispinmap.sandbox.history import past_submissions
from dispinmap.sandbox.submissions import Entry, Person, SubmissionRow, sentence

DEFAULT_USER = "sandbox_visitor"
FIRST_PERSON_ID = 90_001
LAST_HISTORY_ID = 680_000
"""Ids of today's Pinball Map are in this range: 505,959 in June 2025, and 330 a day since (API.md)."""
FIRST_XREF_ID = 300_001


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
    """A machine standing at a location since `created_at`; `id` is new each time it is put up."""

    id: int
    machine: Machine
    created_at: datetime
    user: Person


class World:
    """Pinball Map's data. `history` is the number of submissions that happened before the start.

    Every change is checked as Pinball Map would; what cannot be raises SandboxError and changes nothing.
    """

    def __init__(self, clock: Clock, *, history: int = 240, facts: Facts | None = None) -> None:
        facts = facts or load_facts()
        self._clock = clock
        self._next_id = LAST_HISTORY_ID + 1
        self._next_placement = FIRST_XREF_ID
        self._people = {name: Person(FIRST_PERSON_ID + i, name) for i, name in enumerate(facts.people)}
        self._machines = {machine.id: machine for machine in facts.machines}
        self._venues = {venue.id: venue for venue in facts.venues}
        # Oldest first. Kept in order, because a bot that was away for months asks for hundreds of pages.
        self._entries: list[Entry] = []
        self._lineups: dict[int, dict[int, Placement]] = {venue.id: {} for venue in facts.venues}
        self._remember(facts, history)

    @property
    def locations(self) -> tuple[WorldLocation, ...]:
        """Every location, in the order of the facts: Ground Kontrol first."""
        return tuple(self.location(location_id) for location_id in self._venues)

    @property
    def catalog(self) -> tuple[Machine, ...]:
        """Every machine Pinball Map knows here, by name."""
        return tuple(sorted(self._machines.values(), key=lambda machine: machine.name.casefold()))

    @property
    def submissions(self) -> tuple[SubmissionRow, ...]:
        """Every visible submission, newest first, without what a test injected as raw data."""
        return tuple(entry.row for entry in self.feed if entry.row is not None)

    @property
    def feed(self) -> tuple[Entry, ...]:
        """Everything visible, newest first by time and then by id, as the API serves it."""
        return tuple(reversed(self._entries))

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
        """The machines at a location, in the order in which they came."""
        return tuple(self._lineups[self._venue(location_id).id].values())

    def add_machine(self, location_id: int, machine_id: int, user_name: str = DEFAULT_USER) -> SubmissionRow:
        """Put a machine up. It must not stand there yet."""
        venue, machine, user = self._venue(location_id), self._machine(machine_id), self._person(user_name)
        if machine_id in self._lineups[location_id]:
            raise SandboxError(f"{machine.name} already stands at {venue.name}: remove it first, or choose another.")
        self._place(venue, machine, user, self._clock.now())
        return self._report(SubmissionType.NEW_LMX, venue, user, machine)

    def remove_machine(self, location_id: int, machine_id: int, user_name: str = DEFAULT_USER) -> SubmissionRow:
        """Take a machine away. It must stand there."""
        venue, machine, user = self._standing(location_id, machine_id, user_name)
        del self._lineups[location_id][machine_id]
        return self._report(SubmissionType.REMOVE_MACHINE, venue, user, machine)

    def comment(self, location_id: int, machine_id: int, text: str, user_name: str = DEFAULT_USER) -> SubmissionRow:
        """Say something about a machine that stands there. The text must not be blank."""
        if not text.strip():
            raise SandboxError("The comment is empty: write a few words about the machine.")
        venue, machine, user = self._standing(location_id, machine_id, user_name)
        return self._report(SubmissionType.NEW_CONDITION, venue, user, machine, comment=text)

    def confirm(self, location_id: int, user_name: str = DEFAULT_USER) -> SubmissionRow:
        """Say that the line-up is right as it is shown."""
        return self._report(SubmissionType.CONFIRM_LOCATION, self._venue(location_id), self._person(user_name))

    def delete_submission(self, submission_id: int) -> None:
        """Make a submission vanish from every answer, as Pinball Map's soft delete does."""
        kept = [entry for entry in self._entries if entry.get("id") != submission_id]
        if len(kept) == len(self._entries):
            raise SandboxError(f"There is no submission {submission_id}: it may be deleted already.")
        self._entries = kept

    def reserve_id(self) -> int:
        """Take the next submission id without using it, for a row that becomes visible after higher ones."""
        self._next_id += 1
        return self._next_id - 1

    def inject(self, rows: Iterable[object]) -> None:
        """Make raw rows visible exactly as they are: unknown types, wrong fields, or no row at all.

        A mapping is sorted in by its `created_at`; where that is missing or malformed it counts as created now.
        A SubmissionRow, perhaps changed by `dataclasses.replace`, is taken as its payload.
        """
        for entry in map(self._entry, rows):
            insort_left(self._entries, entry, key=lambda each: each.order)

    def _entry(self, row: object) -> Entry:
        if isinstance(row, SubmissionRow):
            return Entry(row.created_at, row.payload(), row)
        now = self._clock.now()
        return Entry(_moment(Entry(now, row).get("created_at")) or now, row)

    def _remember(self, facts: Facts, how_many: int) -> None:
        """Fill the past, and put up today's line-ups as it left them."""
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
    ) -> SubmissionRow:
        text = sentence(kind, venue, user, machine, comment, None)
        row = SubmissionRow(self.reserve_id(), kind, text, self._clock.now(), user, venue, machine, comment)
        self.inject([row])
        return row

    def _standing(self, location_id: int, machine_id: int, user_name: str) -> tuple[Venue, Machine, Person]:
        venue, machine = self._venue(location_id), self._machine(machine_id)
        if machine_id not in self._lineups[location_id]:
            raise SandboxError(f"{machine.name} does not stand at {venue.name}: add it first, or choose another.")
        return venue, machine, self._person(user_name)

    def _venue(self, location_id: int) -> Venue:
        if location_id not in self._venues:
            raise SandboxError(f"There is no location {location_id} in the sandbox: choose one from its list.")
        return self._venues[location_id]

    def _machine(self, machine_id: int) -> Machine:
        if machine_id not in self._machines:
            raise SandboxError(f"There is no machine {machine_id} in the sandbox: choose one from its catalogue.")
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
