"""Who cares about a submission."""

from datetime import timedelta
from math import asin, atan2, cos, degrees, radians, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap.matching.distance import miles_between
from dispinmap.matching.index import TargetIndex, cell_of, cells_around
from dispinmap.matching.promises import due_at
from dispinmap.matching.rules import announces, matches, wants
from dispinmap.pinballmap.models import SubmissionType
from dispinmap.targets.kinds import Kinds, NotificationKind
from dispinmap.targets.models import Area
from tests.fakes.values import NOON, kinds_of, submission, watched

NEVER_HEARD_OF = "never_heard_of"

latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)
areas = st.builds(Area, latitudes, longitudes, st.floats(1, 100))


def test_distance_from_portland_to_seattle_is_known() -> None:
    assert miles_between(45.5152, -122.6784, 47.6062, -122.3321) == pytest.approx(145.4, abs=0.3)


@given(latitudes, longitudes)
def test_a_point_is_at_no_distance_from_itself(latitude: float, longitude: float) -> None:
    assert miles_between(latitude, longitude, latitude, longitude) == 0


@given(latitudes, longitudes, latitudes, longitudes)
def test_distance_is_symmetric_and_at_most_half_the_globe(a: float, b: float, c: float, d: float) -> None:
    there = miles_between(a, b, c, d)
    assert there == pytest.approx(miles_between(c, d, a, b), abs=1e-6)
    assert 0 <= there <= 12_437


@pytest.mark.parametrize(
    ("kinds", "wanted"),
    [
        (["machines"], {"new_lmx", "remove_machine"}),
        (["comments"], {"new_condition"}),
        (["scores"], {"new_msx"}),
        (["confirmations"], {"confirm_location"}),
        (["places"], {"add_location", "delete_location"}),
        (["scores", "comments"], {"new_condition", "new_msx"}),
        (["all"], {*SubmissionType, NEVER_HEARD_OF}),
    ],
)
def test_kinds_cover_their_types_and_no_others(kinds: list[str], wanted: set[str]) -> None:
    types = {*SubmissionType, NEVER_HEARD_OF}
    assert {type_ for type_ in types if wants(kinds_of(*kinds), type_)} == wanted


def test_only_all_covers_a_type_that_nobody_has_heard_of() -> None:
    each = Kinds(set(NotificationKind) - {NotificationKind.ALL})
    assert {type_ for type_ in SubmissionType if wants(each, type_)} == set(SubmissionType)
    assert not wants(each, NEVER_HEARD_OF)


def test_a_location_target_wants_its_own_location_only() -> None:
    assert matches(watched(location_id=874), submission(location_id=874))
    assert not matches(watched(location_id=874), submission(location_id=875))
    assert not matches(watched(location_id=874), submission(location_id=None))


def test_an_area_wants_what_lies_within_its_radius() -> None:
    area = Area(45.5152, -122.6784, 1)
    assert matches(watched(area=area), submission(latitude=45.524, longitude=-122.676))
    assert not matches(watched(area=area), submission(latitude=45.6, longitude=-122.676))
    assert not matches(watched(area=area), submission(latitude=None, longitude=None))


def test_what_is_older_than_the_target_is_never_announced() -> None:
    target = watched(created_at=NOON)
    assert not announces(target, submission(at=NOON))
    assert announces(target, submission(at=NOON + timedelta(seconds=1)))


@given(st.integers(1, 10_080), st.floats(-1e6, 1e9), st.integers(1, 15))
def test_nobody_waits_longer_than_the_poll_rate_whenever_the_target_was_served(
    rate: int, served_ago: float, interval: int
) -> None:
    target = watched(poll_rate_minutes=rate, last_checked_at=NOON - timedelta(seconds=served_ago))
    due = due_at(target, NOON, timedelta(minutes=interval))
    assert NOON <= due <= NOON + timedelta(minutes=rate)


def test_a_target_as_quick_as_the_polls_gets_its_news_from_each_of_them() -> None:
    minute = timedelta(minutes=1)
    target = watched(poll_rate_minutes=1, last_checked_at=NOON - minute / 2)
    assert due_at(target, NOON, minute) == NOON
    slow = watched(poll_rate_minutes=2, last_checked_at=NOON - minute / 2)
    assert due_at(slow, NOON, minute) == NOON + 1.5 * minute


@given(areas, latitudes, longitudes)
def test_the_index_never_misses_a_target(area: Area, latitude: float, longitude: float) -> None:
    target = watched(area=area)
    row = submission(latitude=latitude, longitude=longitude, location_id=None)
    assert TargetIndex([target]).announcing(row) == ([target] if announces(target, row) else [])


@given(areas, st.floats(0, 1), st.floats(-180, 180))
def test_every_point_of_a_circle_lies_in_its_cells(area: Area, reach: float, bearing: float) -> None:

    angle = reach * area.radius / 3958.7558
    phi, theta = radians(area.latitude), radians(bearing)
    latitude = asin(sin(phi) * cos(angle) + cos(phi) * sin(angle) * cos(theta))
    longitude = radians(area.longitude) + atan2(
        sin(theta) * sin(angle) * cos(phi), cos(angle) - sin(phi) * sin(latitude)
    )
    point = degrees(latitude), (degrees(longitude) + 540) % 360 - 180
    if miles_between(area.latitude, area.longitude, *point) <= area.radius:
        assert cell_of(*point) in set(cells_around(area))


def test_far_away_targets_are_not_even_candidates() -> None:
    far = [watched(id=n, area=Area(-33.0, 151.0, 100)) for n in range(2, 500)]
    near = watched(id=1, area=Area(45.5, -122.6, 25))
    assert TargetIndex([*far, near]).candidates(submission()) == [near]
