"""What people type, and the table they get: the pure parts of the commands."""

import time
import unicodedata
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap.discordbot import texts
from dispinmap.discordbot.parsing import (
    parse_degrees,
    pasted_lines,
    split_radius,
)
from dispinmap.discordbot.target_table import padded, target_pages, width
from dispinmap.errors import UserError
from dispinmap.geocoding.models import Place
from dispinmap.pinballmap.models import Location, Submission
from dispinmap.targets.models import Channel, Target, TargetType, WatchedTarget
from dispinmap.targets.naming import unquoted
from dispinmap.targets.service import Added, AddOutcome, ListedTarget
from dispinmap.targets.transfer import ImportPlan, PlannedStep
from dispinmap.targets.values import parse_kinds, parse_minutes, parse_radius
from tests.commands.conftest import NOW
from tests.fakes.kinds import ANY_KINDS
from tests.fakes.values import kinds_of


@pytest.mark.parametrize(
    ("text", "miles"),
    [
        ("25", 25),
        ("25 miles", 25),
        ("5 MI.", 5),
        ("12.5 miles", 12.5),
        ("40km", 24.85),
        ("40 Kilometers", 24.85),
        ("1,5 mi", 1.5),
        ("160 km", 99.42),
    ],
)
def test_a_radius_is_read_in_miles_or_kilometres(text: str, miles: float) -> None:
    assert parse_radius(text) == pytest.approx(miles, abs=0.01)


@pytest.mark.parametrize(
    "text", ["x", "", "25 furlongs", "25 mi 3", "-5", "0", "101", "161 km", "nan", "inf", "²", "٢٥", "9" * 400]
)
def test_a_radius_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        parse_radius(text)


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("Portland, OR", ("Portland, OR", None)),
        ("Portland, OR 25", ("Portland, OR", "25")),
        ("Portland, OR, 25", ("Portland, OR", "25")),
        ("Portland OR 40 km", ("Portland OR", "40 km")),
        ("Portland OR 40km", ("Portland OR", "40km")),
        ('"Portland, OR" 25', ("Portland, OR", "25")),
        ('"Portland, OR"', ("Portland, OR", None)),
        ("“Coeur d'Alene” 5 mi", ("Coeur d'Alene", "5 mi")),
        ("'s-Hertogenbosch", ("'s-Hertogenbosch", None)),
        ("Portland, OR 97201 25", ("Portland, OR 97201", "25")),
        ("25", ("25", None)),
        ("", ("", None)),
    ],
)
def test_a_city_may_be_followed_by_its_radius(line: str, parts: tuple[str, str | None]) -> None:
    assert split_radius(line) == parts


@given(st.text(), st.sampled_from(['""', "''", "“”", "«»"]))
def test_one_pair_of_quotes_goes(text: str, quotes: str) -> None:
    assert unquoted(f" {quotes[0]}{text}{quotes[1]} ") == text.strip()


@pytest.mark.parametrize("text", ["45.52", " 45.52, ", "45.52°"])
def test_degrees_are_read_as_maps_print_them(text: str) -> None:
    assert parse_degrees(text) == 45.52


@pytest.mark.parametrize("text", ["north", "", "nan", "inf", "1,2"])
def test_degrees_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(UserError):
        parse_degrees(text)


@pytest.mark.parametrize(("text", "minutes"), [("30", 30), ("30 min", 30), ("Default", None)])
def test_minutes(text: str, minutes: int | None) -> None:
    assert parse_minutes(text) == minutes


def refusal(parse: Callable[[str], object], text: str) -> str:
    try:
        return f"{parse(text)} is what was read."
    except UserError as error:
        return str(error)


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    for parse in (parse_minutes, parse_kinds, parse_radius, parse_degrees):
        assert refusal(parse, text).endswith(".")


def test_kinds() -> None:
    assert parse_kinds("ALL") == kinds_of("all")
    assert parse_kinds("default") is None


def test_a_pasted_export_becomes_lines_again() -> None:
    export = (
        "# What this channel watches. /import reads it back, here or in another channel.\n"
        "/poll_rate minutes:60\n"
        '/add city name:"Bar # 3 /add \\" x" radius:10\n'
        '# location 874: "Ground Kontrol # 1"\n'
        "/add location name:874\n"
        "/notifications kind:all target:1"
    )
    assert pasted_lines(export) == export
    assert pasted_lines(export.replace("\n", " ")) == export


def test_a_message_of_blanks_does_not_keep_everybody_else_waiting() -> None:
    began = time.process_time()
    assert len(pasted_lines(f"a{' ' * 60_000}b")) == 60_002
    assert time.process_time() - began < 2


@given(st.text(max_size=60), st.integers(1, 40))
def test_a_cell_is_exactly_as_wide_as_its_column(text: str, columns: int) -> None:
    line = "".join(one for one in text if unicodedata.category(one)[0] != "C")
    assert width(padded(line, columns)) == columns


TARGETS = st.builds(
    Target,
    id=st.integers(),
    channel_id=st.just(1),
    type=st.sampled_from(TargetType),
    target_name=st.text(max_size=300) | st.just("45.5,-122.6,10"),
    created_at=st.just(NOW),
    display_name=st.none() | st.text(max_size=300),
    location_id=st.none() | st.integers(1),
    poll_rate_minutes=st.none() | st.integers(1, 10080),
    kinds=st.none() | ANY_KINDS,
    last_checked_at=st.none() | st.just(NOW),
)


@given(st.lists(TARGETS, min_size=1, max_size=40))
def test_every_page_of_the_list_fits_into_a_message_and_none_is_missing(targets: list[Target]) -> None:
    listed = [ListedTarget(n, WatchedTarget(one, Channel(1, 1))) for n, one in enumerate(targets, start=1)]
    pages = target_pages(listed, NOW)
    assert all(len(page) <= texts.MESSAGE_LIMIT and page.count("```") == 2 for page in pages)
    tables = [page.split("```")[1].strip("\n").partition("\n\n")[0] for page in pages]
    rows = [row for table in tables for row in table.split("\n")[1:]]
    assert [int(row.split()[0]) for row in rows] == list(range(1, len(targets) + 1))


@given(TARGETS, st.sampled_from(AddOutcome), st.none() | st.text(max_size=3000), st.text(max_size=500))
def test_every_answer_fits_into_a_message(target: Target, outcome: AddOutcome, problem: str | None, text: str) -> None:
    known = tuple(Submission(n, text, NOW, 1, text, machine_name=text, comment=text) for n in range(5))
    plan = ImportPlan((PlannedStep(1, text, text, problem),))
    answers = (
        texts.added(Added(target, outcome, known, problem), None),
        texts.nothing_new(problem, known),
        texts.removed(target),
        texts.no_location(text),
        texts.no_place(text),
        *texts.import_lines(plan),
    )
    assert all(1 <= len(answer) <= texts.MESSAGE_LIMIT for answer in answers)


@given(st.text(max_size=300), st.text(max_size=300))
def test_every_option_of_a_menu_is_within_discords_limits(name: str, region: str) -> None:
    for option in (
        texts.location_option(Location(1, name, city=region)),
        texts.place_option(Place(name, 1, 2, region=region, population=5)),
    ):
        assert all(1 <= len(text) <= 100 for text in option)


def test_a_point_without_a_name_is_called_by_its_coordinates() -> None:
    point = Target(1, 1, TargetType.LATLONG, "45.52,-122.68,5", NOW)
    assert texts.named(point) == "**45.52, -122.68** (5 mi / 8 km around)"
    assert texts.named(replace(point, display_name="Home")) == "**Home** (5 mi / 8 km around)"
