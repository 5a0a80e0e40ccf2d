"""Targets and channels as plain values."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap.errors import UserError
from dispinmap.targets.models import (
    DEFAULT_RADIUS_MILES,
    MAX_POLL_RATE_MINUTES,
    Area,
    Target,
    TargetType,
    checked_poll_rate,
    poll_rate_or_none,
)

ADDED = datetime(2026, 3, 1, tzinfo=UTC)
radii = st.none() | st.floats(1, 100)


@given(st.floats(-90, 90), st.floats(-180, 180), radii)
def test_an_areas_text_reads_back_to_the_same_text(latitude: float, longitude: float, radius: float | None) -> None:
    text = str(Area(latitude, longitude, radius))
    assert str(Area.parse(text)) == text
    assert Area.parse(text).latitude == pytest.approx(latitude, abs=1e-6)


@pytest.mark.parametrize(
    ("area", "text"),
    [
        (Area(45.52345, -122.67621, 25), "45.52345,-122.67621,25"),
        (Area(45.5, -122), "45.5,-122"),
        (Area(-0.0, 0.0000001, 1.5), "0,0,1.5"),
        (Area(10, 100, 100), "10,100,100"),
    ],
)
def test_an_area_is_written_in_its_shortest_form(area: Area, text: str) -> None:
    assert str(area) == text


@pytest.mark.parametrize(
    "text", ["", "Portland", "1", "1,2,3,4", "1,x", "nan,0", "inf,0", "91,0", "0,181", "0,0,0", "0,0,nan"]
)
def test_text_that_is_not_an_area_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        Area.parse(text)


def test_an_area_without_radius_has_the_default_one() -> None:
    assert Area.parse("1,2").radius == DEFAULT_RADIUS_MILES


@pytest.mark.parametrize("minutes", [1, 60, MAX_POLL_RATE_MINUTES])
def test_a_poll_rate_in_range_is_taken(minutes: int) -> None:
    assert checked_poll_rate(minutes) == poll_rate_or_none(minutes) == minutes


@pytest.mark.parametrize("stored", [None, 0, -1, MAX_POLL_RATE_MINUTES + 1, "60", "soon", 1.5])
def test_a_stored_poll_rate_out_of_range_is_inherited(stored: object) -> None:
    assert poll_rate_or_none(stored) is None


@pytest.mark.parametrize(
    ("type_", "name", "location_id", "sentence"),
    [
        (TargetType.LOCATION, "Old Name", None, "“Old Name” has no Pinball Map location id"),
        (TargetType.CITY, "Portland", None, "“Portland” has no coordinates"),
        (TargetType.LATLONG, "91,0", 5, "“91,0” has no coordinates"),
    ],
)
def test_a_target_that_cannot_be_watched_says_what_to_do(
    type_: TargetType, name: str, location_id: int | None, sentence: str
) -> None:
    problem = Target(1, 1, type_, name, ADDED, location_id=location_id).problem
    assert problem == f"{sentence}: remove it and add it again."
