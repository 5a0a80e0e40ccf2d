"""Random lives of a bot on a real database, held against a model of what must be posted.

The bot is the real poller, matcher, target service and sender; Pinball Map and Discord are fakes. The model knows
nothing of due times, gaps or polls. It says:

- A channel gets a submission at most once, and only while one of its targets wants it.
- A submission that a channel wanted from its creation to the end is posted there.
- A machine that was gone for no longer than the settle window is no news, neither its removal nor its return.
- A channel gets at most one batch in its poll rate, unless somebody asks for more.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from dispinmap.database.engine import Database
from dispinmap.database.queries import notifications
from dispinmap.discordbot.cards import measure
from dispinmap.feed.poller import Poller
from dispinmap.outbox.sender import Sender
from dispinmap.pinballmap.errors import PinballMapError
from dispinmap.pinballmap.models import Location, Submission
from dispinmap.targets.kinds import EVERY_KIND, Kinds, NotificationKind
from dispinmap.targets.models import ChannelRef
from dispinmap.targets.service import TargetService
from tests.conftest import NEW_EXAMPLES
from tests.fakes.clock import ManualClock
from tests.fakes.destination import FakeDestination
from tests.fakes.feed import FakeFeed
from tests.fakes.lookups import FakeGeocoder

EXAMPLES: Final = 2000 if NEW_EXAMPLES else 25
PHASES: Final = tuple(phase for phase in Phase if NEW_EXAMPLES or phase is not Phase.shrink)
"""Shrinking a life that failed takes many minutes, which only the long run has."""
MINUTE: Final = timedelta(minutes=1)
WINDOW: Final = 5 * MINUTE
CHANNELS: Final = (1, 2)
PLACES: Final = {10: (45.5, -122.6), 20: (45.6, -122.5)}
"""Two neighbours, with a machine each; an area target covers both."""
MACHINE: Final = 1
NEIGHBOURHOOD: Final = (45.5, -122.6, 25.0)
ELSEWHERE: Final = 99
KIND_OF: Final = {
    "new_lmx": "machines",
    "remove_machine": "machines",
    "new_condition": "comments",
    "new_msx": "scores",
    "confirm_location": "confirmations",
    "add_location": "places",
    "delete_location": "places",
}
RATES: Final = (1, 3, 20, 60)

T = TypeVar("T")

places = st.sampled_from(sorted(PLACES))
channels = st.sampled_from(CHANNELS)
minutes = st.integers(0, 12)
kinds = st.sets(st.sampled_from(NotificationKind), min_size=1).map(Kinds)


class Lives(RuleBasedStateMachine):
    """One life: what people, Pinball Map, the clock and the operator do, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = TemporaryDirectory()
        self.clock = ManualClock()
        self.true_time = self.clock.now()
        self.feed = FakeFeed()
        self.destination = FakeDestination(self.clock)
        self.standing = dict.fromkeys(PLACES, True)
        self.targets: dict[int, dict[object, datetime]] = {channel: {} for channel in CHANNELS}
        """By channel: a location's id, or the neighbourhood, and when the target was added."""
        self.kinds = dict.fromkeys(CHANNELS, Kinds.of(NotificationKind.MACHINES))
        self.rates = dict.fromkeys(CHANNELS, 60)
        self.displayed: dict[int, set[int]] = {channel: set() for channel in CHANNELS}
        """Submissions that the answer to an add showed."""
        self.unwanted: dict[int, set[int]] = {channel: set() for channel in CHANNELS}
        """Submissions that the channel did not want for a while, so that they need not be posted."""
        self.told = dict.fromkeys(CHANNELS, 0)
        self.last_batch: dict[int, datetime | None] = dict.fromkeys(CHANNELS)

    @initialize(rates=st.tuples(*[st.sampled_from(RATES)] * len(CHANNELS)))
    def start(self, rates: tuple[int, ...]) -> None:
        """Both channels watch something and want everything, so that a life has something to tell."""
        path = shutil.copy(Lives.migrated, self.folder.name)
        self.database = Database(f"sqlite:///{path}")
        self._wire()
        self._run(self.poller.begin())
        self.add_location(CHANNELS[0], min(PLACES))
        self.add_neighbourhood(CHANNELS[1])
        for channel, rate in zip(CHANNELS, rates, strict=True):
            self.set_kinds(channel, EVERY_KIND)
            self.set_poll_rate(channel, rate)

    migrated: Path

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def _wire(self) -> None:
        self.sender = Sender(self.database, self.destination, self.clock, measure, settle_window=WINDOW)
        self.poller = Poller(
            self.feed,
            self.database,
            self.clock,
            shortest_interval=MINUTE,
            settle_window=WINDOW,
            wake_sender=self.sender.wake,
        )
        self.service = TargetService(self.database, self.feed, FakeGeocoder(), self.clock, settle_window=WINDOW)

    # -- what happens at Pinball Map

    def _report(self, type_: str, place: int, machine: int | None = None) -> None:
        self._pass(timedelta(seconds=1))
        latitude, longitude = PLACES.get(place, (0.0, 0.0))
        row = Submission(len(self.feed.submissions) + 1, type_, self.true_time, place, f"Place {place}")
        row = Submission(
            **{name: getattr(row, name) for name in Submission.__dataclass_fields__}
            | {"latitude": latitude, "longitude": longitude, "machine_id": machine}
        )
        self.feed.submissions.append(row)

    @rule(place=places)
    def the_machine_leaves_or_returns(self, place: int) -> None:
        self._report("remove_machine" if self.standing[place] else "new_lmx", place, MACHINE)
        self.standing[place] = not self.standing[place]

    @rule(place=places, away=st.integers(0, 310), looks=st.integers(0, 3))
    def the_machine_leaves_and_soon_returns(self, place: int, away: int, looks: int) -> None:
        self.the_machine_leaves_or_returns(place)
        for _ in range(looks):
            self._pass(timedelta(seconds=away // looks))
            self._turn()
        self.the_machine_leaves_or_returns(place)

    @rule(place=places, type_=st.sampled_from(sorted(set(KIND_OF) - {"new_lmx", "remove_machine"})))
    def somebody_reports(self, place: int, type_: str) -> None:
        self._report(type_, place, MACHINE if type_ in ("new_condition", "new_msx") else None)

    @rule(place=places, far=st.integers(150, 260))
    def the_bot_is_away(self, place: int, far: int) -> None:
        """More than one answer of the feed holds, mostly elsewhere."""
        for number in range(far):
            self._report("new_condition", place if number % 40 == 0 else ELSEWHERE, MACHINE)
        self._pass(MINUTE)

    @rule(down=st.booleans())
    def pinball_map_fails_or_recovers(self, *, down: bool) -> None:
        self.feed.down = down

    # -- what people do

    @rule(channel=channels, place=places)
    def add_location(self, channel: int, place: int) -> None:
        added = self._run(self.service.add_location(ChannelRef(channel, 1), Location(place, f"Place {place}")))
        self._added(channel, place, added.latest)

    @rule(channel=channels)
    def add_neighbourhood(self, channel: int) -> None:
        added = self._run(self.service.add_coordinates(ChannelRef(channel, 1), *NEIGHBOURHOOD))
        self._added(channel, NEIGHBOURHOOD, added.latest)

    def _added(self, channel: int, what: object, latest: tuple[Submission, ...]) -> None:
        self.targets[channel].setdefault(what, self.clock.now())
        self.displayed[channel] |= {row.id for row in latest}

    @rule(channel=channels, data=st.data())
    def remove_target(self, channel: int, data: st.DataObject) -> None:
        if self.targets[channel]:
            order = list(self.targets[channel])
            index = data.draw(st.integers(0, len(order) - 1))
            self._run(self.service.remove(channel, str(index + 1)))
            del self.targets[channel][order[index]]

    @rule(channel=channels, rate=st.sampled_from(RATES))
    def set_poll_rate(self, channel: int, rate: int) -> None:
        self._run(self.service.set_poll_rate(ChannelRef(channel, 1), rate))
        self.rates[channel] = rate
        self.last_batch[channel] = None

    @rule(channel=channels, chosen=kinds)
    def set_kinds(self, channel: int, chosen: Kinds) -> None:
        self._run(self.service.set_kinds(ChannelRef(channel, 1), chosen))
        self.kinds[channel] = chosen

    @rule(channel=channels)
    def check(self, channel: int) -> None:
        async def work() -> None:
            with suppress(PinballMapError):
                await self.poller.check()
            async with self.database.write() as session:
                await notifications.make_due(session, channel, self.clock.now())

        self._run(work())
        self.last_batch = dict.fromkeys(CHANNELS)
        self._deliver()

    # -- time, and what the operator does

    @rule(by=minutes)
    def time_passes(self, by: int) -> None:
        self._pass(by * MINUTE)
        self._turn()

    @rule(seconds=st.integers(0, 120))
    def nobody_looks_for_a_moment(self, seconds: int) -> None:
        self._pass(timedelta(seconds=seconds))

    @rule(by=st.integers(1, 120))
    def clock_is_set_back(self, by: int) -> None:
        self.clock.advance(-by * 60)
        self.last_batch = dict.fromkeys(CHANNELS)

    @rule()
    def restart(self) -> None:
        self._wire()
        self._run(self.poller.begin())

    def _pass(self, by: timedelta) -> None:
        self.clock.advance(by.total_seconds())
        self.true_time += by

    def _turn(self) -> None:
        async def poll() -> None:
            while not await self.poller.step():
                pass

        self._run(poll())
        self._deliver()

    def _deliver(self) -> None:
        self._run(self.sender.drain())
        for channel in CHANNELS:
            shown = self.destination.shown(channel)
            fresh = shown[self.told[channel] :]
            self.told[channel] = len(shown)
            assert all(self._wants(channel, self._row(id_)) for id_ in fresh)
            if fresh:
                self._in_rhythm(channel)

    def _in_rhythm(self, channel: int) -> None:
        now, last = self.clock.now(), self.last_batch[channel]
        assert last is None or now - last >= self.rates[channel] * MINUTE
        self.last_batch[channel] = now

    # -- the model

    def _row(self, id_: int) -> Submission:
        return self.feed.submissions[id_ - 1]

    def _wants(self, channel: int, row: Submission) -> bool:
        kinds = self.kinds[channel]
        return (NotificationKind.ALL in kinds or KIND_OF[row.type] in kinds) and any(
            row.created_at > added_at
            and (row.location_id == what or (what == NEIGHBOURHOOD and row.location_id in PLACES))
            for what, added_at in self.targets[channel].items()
        )

    @invariant()
    def note_what_is_not_wanted(self) -> None:
        for channel in CHANNELS:
            self.unwanted[channel] |= {row.id for row in self.feed.submissions if not self._wants(channel, row)}

    def _undone(self) -> dict[int, int]:
        """The returns within the window, and the removals that they undid."""
        gone: dict[tuple[int | None, int | None], Submission] = {}
        undone = {}
        for row in self.feed.submissions:
            if row.type == "remove_machine":
                gone[row.location_id, row.machine_id] = row
            elif row.type == "new_lmx":
                removal = gone.pop((row.location_id, row.machine_id), None)
                if removal is not None and row.created_at - removal.created_at <= WINDOW:
                    undone[row.id] = removal.id
        return undone

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.note_what_is_not_wanted()
            self.feed.down = False
            for _ in range(30):
                self._pass(10 * MINUTE)
                self._turn()
            self._judge()
            self._run(self.database.close())
        self.runner.close()
        self.folder.cleanup()

    def _judge(self) -> None:
        undone = self._undone()
        for channel in CHANNELS:
            posted = Counter(self.destination.shown(channel))
            assert set(posted.values()) <= {1}, "posted twice"
            displayed = self.displayed[channel]
            no_news = {id_ for pair in undone.items() if pair[1] not in displayed for id_ in pair}
            assert not no_news & posted.keys(), "a machine that came straight back was posted"
            must = {row.id for row in self.feed.submissions} - self.unwanted[channel] - no_news - displayed
            assert must <= posted.keys(), f"lost: {sorted(must - posted.keys())}"


@pytest.fixture
def _migrated(migrated_file: Path) -> None:
    Lives.migrated = migrated_file


@pytest.mark.usefixtures("_migrated")
@pytest.mark.hypothesis
def test_each_channel_gets_its_news_once_and_in_its_rhythm() -> None:
    run_state_machine_as_test(Lives, settings=settings(max_examples=EXAMPLES, stateful_step_count=40, phases=PHASES))
