"""The sandbox's world: its past, what may change, and what never may."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dispinmap_sandbox.errors import SandboxError
from dispinmap_sandbox.facts import Machine, Venue, load_facts
from dispinmap_sandbox.submissions import SubmissionRow
from dispinmap_sandbox.world import World
from tests.fakes.clock import ManualClock

FACTS = load_facts()
GROUND_KONTROL = 874
MONSTER_BASH = 641
MYSTERY_CASTLE = 1067
MACHINE_CHANGES = {"new_lmx", "remove_machine"}


@pytest.fixture
def world(clock: ManualClock) -> World:
    return World(clock)


def test_the_past_is_like_the_real_feed(world: World, clock: ManualClock) -> None:
    rows = world.submissions
    assert [row.id for row in rows] == sorted((row.id for row in rows), reverse=True)
    assert [row.created_at for row in rows] == sorted((row.created_at for row in rows), reverse=True)
    a_day = [row for row in rows if row.created_at > clock.now() - timedelta(hours=12)]
    assert 130 < len(a_day) < 200
    assert rows[0].created_at < clock.now()


def test_every_location_has_a_past_with_machines_that_came_or_went(world: World) -> None:
    for location in world.locations:
        kinds = [row.submission_type for row in world.submissions if row.venue.id == location.id]
        assert len(kinds) >= 5, location.name
        assert MACHINE_CHANGES & set(kinds), location.name


def test_the_past_leads_to_todays_line_ups(world: World) -> None:
    lineups = {location.id: {machine.id for machine in location.machines} for location in world.locations}
    for row in world.submissions:
        lineup = lineups[row.venue.id]
        if row.machine is None:
            continue
        if row.submission_type == "new_lmx":
            lineup.remove(row.machine.id)
        elif row.submission_type == "remove_machine":
            assert row.machine.id not in lineup
            lineup.add(row.machine.id)
        else:
            assert row.machine.id in lineup


def test_the_same_world_comes_every_time(clock: ManualClock) -> None:
    assert World(clock).submissions == World(clock).submissions


def test_a_world_without_history_is_empty_but_furnished(clock: ManualClock) -> None:
    world = World(clock, history=0)
    assert world.submissions == ()
    assert len(world.location(GROUND_KONTROL).machines) == 12


def test_every_machine_of_a_line_up_is_in_the_catalogue(world: World) -> None:
    assert all(machine in world.catalog for location in world.locations for machine in location.machines)


def test_every_machine_has_its_maker_and_year_in_its_name(world: World) -> None:
    for machine in world.catalog:
        assert re.fullmatch(r".+ \([^()]+, (19|20)\d\d\)", machine.name), machine.name


def test_a_change_shows_at_once(world: World) -> None:
    row = world.add_machine(GROUND_KONTROL, MYSTERY_CASTLE, "nudge_nora")
    assert world.submissions[0] == row
    assert MYSTERY_CASTLE in {machine.id for machine in world.location(GROUND_KONTROL).machines}
    assert (row.submission_type, row.user.name) == ("new_lmx", "nudge_nora")
    assert world.confirm(GROUND_KONTROL, "nudge_nora").user == row.user


@pytest.mark.parametrize(
    ("sentence", "refused"),
    [
        ("is already at", lambda world: world.add_machine(GROUND_KONTROL, MONSTER_BASH)),
        ("is not at", lambda world: world.remove_machine(GROUND_KONTROL, MYSTERY_CASTLE)),
        ("is not at", lambda world: world.comment(GROUND_KONTROL, MYSTERY_CASTLE, "Fine.")),
        ("comment is empty", lambda world: world.comment(GROUND_KONTROL, MONSTER_BASH, " \n")),
        ("user name is empty", lambda world: world.add_machine(GROUND_KONTROL, MYSTERY_CASTLE, "")),
        ("user name is empty", lambda world: world.remove_machine(GROUND_KONTROL, MONSTER_BASH, "")),
        ("is not at", lambda world: world.score(GROUND_KONTROL, MYSTERY_CASTLE, 5)),
        ("at least 1", lambda world: world.score(GROUND_KONTROL, MONSTER_BASH, 0)),
        ("name is empty", lambda world: world.open_location(GROUND_KONTROL, " ")),
        ("user name is empty", lambda world: world.close_location(GROUND_KONTROL, "")),
        ("no location 1 ", lambda world: world.close_location(1)),
        ("no location 1 ", lambda world: world.confirm(1)),
        ("no location 1 ", lambda world: world.location(1)),
        ("no machine 1 ", lambda world: world.add_machine(GROUND_KONTROL, 1)),
        ("no submission 1:", lambda world: world.delete_submission(1)),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence_and_changes_nothing(
    world: World, sentence: str, refused: Callable[[World], object]
) -> None:
    before = world.submissions, world.locations
    with pytest.raises(SandboxError, match=sentence):
        refused(world)
    assert (world.submissions, world.locations) == before


def test_a_score_carries_its_points(world: World) -> None:
    row = world.score(GROUND_KONTROL, MONSTER_BASH, 1_234_567, "nudge_nora")
    assert world.submissions[0] == row
    assert (row.submission_type, row.high_score) == ("new_msx", 1_234_567)
    assert "1,234,567 on Monster Bash" in row.submission


def test_a_location_opens_empty_beside_another_and_takes_machines(world: World) -> None:
    opened = world.open_location(GROUND_KONTROL, " Annex ")
    assert (opened.submission_type, opened.venue.name, opened.venue.city) == ("add_location", "Annex", "Portland")
    assert world.location(opened.venue.id).machines == ()
    added = world.add_machine(opened.venue.id, MONSTER_BASH)
    assert [row.id for row in world.submissions[:2]] == [added.id, opened.id]
    assert world.open_location(GROUND_KONTROL, "Another").venue.id == opened.venue.id + 1


def test_a_location_that_closes_loses_its_machines_first_and_is_gone(world: World) -> None:
    machines = world.location(GROUND_KONTROL).machines
    closed = world.close_location(GROUND_KONTROL, "nudge_nora")
    assert closed.submission_type == "delete_location"
    removed = world.submissions[1 : len(machines) + 1]
    assert {row.submission_type for row in removed} == {"remove_machine"}
    assert {row.machine for row in removed} == set(machines)
    assert GROUND_KONTROL not in {location.id for location in world.locations}
    with pytest.raises(SandboxError, match="no location 874"):
        world.location(GROUND_KONTROL)


def test_a_reserved_id_appears_below_those_that_were_quicker(world: World) -> None:
    late = world.reserve_id()
    row = world.confirm(GROUND_KONTROL)
    world.inject([replace(row, id=late)])
    assert [shown.id for shown in world.submissions[:2]] == [row.id, late] == [late + 1, late]


class WorldMachine(RuleBasedStateMachine):
    """After any changes, ids grow and line-ups match the reports."""

    @initialize()
    def furnish(self) -> None:
        self.clock = ManualClock()
        self.world = World(self.clock, history=20)
        self.reported: list[SubmissionRow] = []

    @rule(venue=st.sampled_from(FACTS.venues), machine=st.sampled_from(FACTS.machines[:6]))
    def add_or_remove(self, venue: Venue, machine: Machine) -> None:
        stands = machine in self.world.location(venue.id).machines
        change, refused = self.world.add_machine, self.world.remove_machine
        if stands:
            change, refused = refused, change
        with pytest.raises(SandboxError):
            refused(venue.id, machine.id)
        self.reported.append(change(venue.id, machine.id))
        assert (machine in self.world.location(venue.id).machines) is not stands

    @rule(venue=st.sampled_from(FACTS.venues), text=st.text())
    def comment(self, venue: Venue, text: str) -> None:
        machines = self.world.location(venue.id).machines
        if machines and text.strip():
            self.reported.append(self.world.comment(venue.id, machines[0].id, text))

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        if self.reported:
            row = data.draw(st.sampled_from(self.reported))
            self.reported.remove(row)
            self.world.delete_submission(row.id)

    @rule(seconds=st.integers(0, 100_000))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @invariant()
    def ids_strictly_grow(self) -> None:
        ids = [row.id for row in self.reported]
        assert ids == sorted(set(ids))

    @invariant()
    def the_feed_is_the_past_and_what_was_reported(self) -> None:
        assert [row for row in reversed(self.world.submissions) if row.id > 680_000] == self.reported

    @invariant()
    def no_machine_stands_twice_at_a_location(self) -> None:
        for location in self.world.locations:
            assert len(location.machines) == len(set(location.machines))


TestWorld = WorldMachine.TestCase
TestWorld.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)
