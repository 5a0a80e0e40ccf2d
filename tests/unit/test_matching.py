"""Who cares about a submission."""

from datetime import timedelta
from math import asin, atan2, cos, degrees, radians, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap.matching.geography import cell_of, cells_around, miles_between
from dispinmap.matching.notify import notifications_for, one_per_channel
from dispinmap.matching.rules import announces, matches, wants
from dispinmap.outbox.models import Notification
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


def test_only_all_covers_an_unknown_type() -> None:
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


def test_a_circle_of_the_default_radius_touches_few_cells() -> None:
    cells = list(cells_around(Area(45.5, -122.6, 25)))
    assert len(cells) == len(set(cells)) <= 4


def test_cells_are_numbered_alike_on_both_sides_of_the_date_line() -> None:
    assert cell_of(10.5, 180.5) == cell_of(10.5, -179.5)
    assert cell_of(10.5, -180) == cell_of(10.5, 180)


def test_a_target_gets_a_notification_of_each_submission_it_wants() -> None:
    rows = [submission(1), submission(2, type=SubmissionType.NEW_CONDITION), submission(3, location_id=1)]
    (found,) = notifications_for(watched(id=7), rows, NOON, timedelta(minutes=5))
    assert (found.channel_id, found.target_id, found.submission, found.due_at) == (10, 7, rows[0], NOON)


def test_of_several_targets_of_a_channel_the_one_due_first_counts() -> None:
    row = submission()
    late, early = (Notification(10, target, row, NOON + timedelta(minutes=wait)) for target, wait in ((1, 5), (2, 0)))
    elsewhere = Notification(11, 3, row, NOON)
    assert one_per_channel([late, early, elsewhere]) == [early, elsewhere]
