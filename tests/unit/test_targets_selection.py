"""Which target of a channel a person means."""

from datetime import UTC, datetime

import pytest

from dispinmap.errors import UserError
from dispinmap.targets.models import Area, Channel, NewTarget, Target, TargetType, WatchedTarget
from dispinmap.targets.selection import ListedTarget, listed, reference, repeated, resized, select

ADDED = datetime(2026, 3, 1, tzinfo=UTC)


def location(id_: int, name: str, location_id: int = 1) -> Target:
    return Target(id_, 1, TargetType.LOCATION, name, ADDED, location_id=location_id)


def city(id_: int, text: str, name: str = "Portland, Oregon, United States") -> Target:
    return Target(id_, 1, TargetType.CITY, text, ADDED, display_name=name)


def here(*targets: Target) -> tuple[ListedTarget, ...]:
    return listed([WatchedTarget(target, Channel(1, 1)) for target in targets])


KONTROL = location(11, "Ground Kontrol Classic Arcade")
QUARTER = location(12, "QuarterWorld")
PORTLAND = city(13, "45.52,-122.68,25")
ALL = here(KONTROL, QUARTER, PORTLAND)


@pytest.mark.parametrize(
    ("selector", "target"),
    [
        ("1", KONTROL),
        ("target:13", PORTLAND),
        ("#2", QUARTER),
        (" 3 ", PORTLAND),
        ("quarterworld", QUARTER),
        ('"Ground Kontrol Classic Arcade"', KONTROL),
        ("ground k", KONTROL),
        ("Portland", PORTLAND),
        ("45.52,-122.68,25", PORTLAND),
    ],
)
def test_a_target_is_meant_by_number_name_or_the_beginning_of_it(selector: str, target: Target) -> None:
    assert select(ALL, selector).target == target


def test_a_target_picked_from_the_suggestions_stays_the_one_that_was_picked() -> None:
    picked = reference(QUARTER)
    assert select(here(QUARTER, PORTLAND), picked).target == QUARTER
    with pytest.raises(UserError, match="has been removed"):
        select(here(KONTROL, PORTLAND), picked)


def test_a_whole_name_wins_over_longer_ones() -> None:
    short, long = location(1, "Wedge"), location(2, "Wedgehead")
    assert select(here(long, short), "wedge").target == short


def test_a_name_of_digits_is_found_when_there_is_no_such_number() -> None:
    assert select(here(location(1, "1984")), "1984").target.target_name == "1984"


def test_a_name_is_found_by_words_within_it_unless_others_begin_with_them() -> None:
    bars = here(location(1, "The Ice Box"), location(2, "Jackbar"), location(3, "Bar One"))
    assert select(bars, "ice box").target.target_name == "The Ice Box"
    assert select(bars, "bar").target.target_name == "Bar One"


def test_several_targets_are_listed_with_their_numbers() -> None:
    twins = here(location(1, "Bar One"), location(2, "Bar Two"))
    with pytest.raises(UserError, match=r"1 \(Bar One\), 2 \(Bar Two\)"):
        select(twins, "bar")


@pytest.mark.parametrize("selector", ["0", "4", "#4", "-1", "99999999999999999999"])
def test_a_number_out_of_range_is_told_the_range(selector: str) -> None:
    with pytest.raises(UserError, match="watches 3 targets"):
        select(ALL, selector)


@pytest.mark.parametrize("selector", ["nowhere", "", "!", "²"])
def test_an_unknown_name_points_to_the_list(selector: str) -> None:
    with pytest.raises(UserError, match="/list"):
        select(ALL, selector)


def test_a_channel_without_targets_is_told_how_to_start() -> None:
    with pytest.raises(UserError, match="/add location"):
        select((), "1")


def test_the_same_location_is_a_duplicate_under_any_name() -> None:
    assert repeated([QUARTER, KONTROL], NewTarget(TargetType.LOCATION, "renamed", location_id=1)) == QUARTER
    assert repeated([KONTROL], NewTarget(TargetType.LOCATION, KONTROL.target_name, location_id=2)) is None


def test_the_same_point_is_a_duplicate_with_any_radius() -> None:
    assert repeated([PORTLAND], NewTarget(TargetType.CITY, "45.52,-122.68,40")) == PORTLAND
    assert repeated([PORTLAND], NewTarget(TargetType.CITY, "45.5200,-122.680")) == PORTLAND
    assert repeated([PORTLAND], NewTarget(TargetType.LATLONG, "45.52,-122.68,25")) is None
    assert repeated([PORTLAND], NewTarget(TargetType.CITY, "45.53,-122.68")) is None


def test_of_two_circles_around_a_point_the_equal_one_is_repeated() -> None:
    wide = city(14, "45.52,-122.68,50")
    assert repeated([PORTLAND, wide], NewTarget(TargetType.CITY, "45.52,-122.68,50")) == wide


@pytest.mark.parametrize(
    ("there", "new", "changes"),
    [
        ("45.52,-122.68,25", "45.52,-122.68,40", True),
        ("45.52,-122.68,25", "45.52,-122.68,25", False),
        ("45.52,-122.68", "45.52,-122.68,25", False),
        ("45.52,-122.68,40", "45.52,-122.68", False),
        ("45.52,-122.68", "45.52,-122.68,40", True),
        ("junk", "45.52,-122.68,40", False),
    ],
)
def test_only_another_radius_that_was_asked_for_is_a_change(there: str, new: str, *, changes: bool) -> None:
    assert resized(city(1, there), NewTarget(TargetType.CITY, new)) is changes


def test_text_that_is_not_an_area_duplicates_nothing() -> None:
    assert repeated([city(1, "junk")], NewTarget(TargetType.CITY, str(Area(45.52, -122.68)))) is None
