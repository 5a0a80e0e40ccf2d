"""A channel's set-up as text and back."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap.targets.import_text import AddCity, AddCoordinates, AddLocation, Request, read
from dispinmap.targets.models import (
    KILOMETRES_PER_MILE,
    MAX_POLL_RATE_MINUTES,
    Area,
    Channel,
    Target,
    TargetType,
)
from dispinmap.targets.transfer import SetKinds, SetPollRate, export, quoted
from tests.fakes.values import kinds_of

ADDED = datetime(2026, 3, 1, tzinfo=UTC)


def only(text: str) -> Request:
    (line,) = read(text)
    assert line.problem is None
    assert line.request is not None
    return line.request


def problem(text: str) -> str:
    (line,) = read(text)
    assert line.request is None
    assert line.problem is not None
    return line.problem


def test_an_export_reads_like_the_commands_themselves() -> None:
    targets = [
        Target(31, 1, TargetType.LOCATION, "Ground Kontrol Classic Arcade", ADDED, location_id=874),
        Target(
            35,
            1,
            TargetType.CITY,
            "45.52345,-122.67621,25",
            ADDED,
            display_name="Portland, Oregon, United States",
            poll_rate_minutes=5,
            kinds=kinds_of("comments"),
        ),
        Target(36, 1, TargetType.LATLONG, "48.1,11.5,40.5", ADDED),
    ]
    assert export(Channel(1, 1, 30, kinds_of("all")), targets).splitlines()[1:] == [
        "/poll_rate minutes:30",
        "/notifications kind:all",
        '# location 874: "Ground Kontrol Classic Arcade"',
        "/add location name:874",
        "# at 45.52345,-122.67621",
        '/add city name:"Portland, Oregon, United States" radius:25',
        "/poll_rate minutes:5 target:2",
        "/notifications kind:comments target:2",
        "/add coordinates latitude:48.1 longitude:11.5 radius:40.5",
    ]


def test_a_target_that_cannot_be_watched_is_exported_as_well_as_possible() -> None:
    targets = [
        Target(1, 1, TargetType.LATLONG, "junk", ADDED, poll_rate_minutes=5),
        Target(2, 1, TargetType.LOCATION, "Old Name", ADDED),
        Target(3, 1, TargetType.CITY, "Lyon", ADDED, poll_rate_minutes=7),
    ]
    assert export(Channel(1, 1), targets).splitlines()[3:] == [
        "# Left out, because it has no coordinates: junk",
        '/add location name:"Old Name"',
        '/add city name:"Lyon"',
        "/poll_rate minutes:7 target:2",
    ]


@pytest.mark.parametrize(
    ("line", "request_"),
    [
        ("/add location name:874", AddLocation("874")),
        ("!add location 874", AddLocation("874")),
        ('!add location "Ground Kontrol"', AddLocation("Ground Kontrol")),
        ("!add location Ground Kontrol", AddLocation("Ground Kontrol")),
        ("/add location name:Ground Kontrol Arcade", AddLocation("Ground Kontrol Arcade")),
        ("/add location name: Ground Kontrol", AddLocation("Ground Kontrol")),
        ("/add location name:“Ground Kontrol”", AddLocation("Ground Kontrol")),
        (
            "!add location https://pinballmap.com/map?by_location_id=874",
            AddLocation("https://pinballmap.com/map?by_location_id=874"),
        ),
        ("?add location 874", AddLocation("874")),
        ("add location 874", AddLocation("874")),
        (">> Add Location 874", AddLocation("874")),
        ("<@1234567890> add location 874", AddLocation("874")),
        ("`!add location 874`", AddLocation("874")),
        ("!add coordinates 45.5 -122.6 25", AddCoordinates(Area(45.5, -122.6, 25))),
        ("!add coordinates 45.5, -122.6", AddCoordinates(Area(45.5, -122.6))),
        ("/add coordinates latitude:45.5 longitude:-122.6 radius:10", AddCoordinates(Area(45.5, -122.6, 10))),
        ('!add city "Portland, OR" 25', AddCity("Portland, OR", 25)),
        ("!add city Portland, OR 25", AddCity("Portland, OR", 25)),
        ("!add city Coeur d'Alene", AddCity("Coeur d'Alene")),
        ('!add city "Area 51"', AddCity("Area 51")),
        ('/add city name:"München" radius:40 km', AddCity("München", 40 / KILOMETRES_PER_MILE)),
        ("!add city München 40 km", AddCity("München", 40 / KILOMETRES_PER_MILE)),
        ("!poll_rate 30", SetPollRate(30)),
        ("!poll_rate 30 1", SetPollRate(30, 1)),
        ("/poll_rate minutes:5 target:2", SetPollRate(5, 2)),
        ("/poll_rate minutes:default target:2", SetPollRate(None, 2)),
        ("!notifications machines", SetKinds(kinds_of("machines"))),
        ("!notifications Comments 3", SetKinds(kinds_of("comments"), 3)),
        ("/notifications kind:all target:2", SetKinds(kinds_of("all"), 2)),
        ("!notifications machines scores 3", SetKinds(kinds_of("machines", "scores"), 3)),
        ("!notifications machines, places and comments", SetKinds(kinds_of("machines", "comments", "places"))),
        ("/notifications kind:machines,scores target:2", SetKinds(kinds_of("machines", "scores"), 2)),
        ("/notifications kind:scores, machines target:2", SetKinds(kinds_of("machines", "scores"), 2)),
        ("/notifications kind:default target:2", SetKinds(None, 2)),
    ],
)
def test_our_commands_and_the_originals_are_read(line: str, request_: Request) -> None:
    assert only(line) == request_


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("hello there", "I can’t import this line"),
        ("!remove 1", "I can’t import this line"),
        ("!poll_rates 5", "I can’t import this line"),
        ("!add location", "Name the location"),
        ('!add city ""', "Name the city"),
        ("!add coordinates 45.5", "Write the longitude as a number"),
        ("!add coordinates here there", "Write the latitude as a number"),
        ("!add coordinates 95 10", "latitude 95 is not between"),
        ("!add coordinates nan 10", "latitude nan is not between"),
        ("!add coordinates 45 10 500", "A radius of 500 is out of range"),
        ("!add coordinates 45 10 wide", "“wide” isn’t a radius"),
        ("!add coordinates 45 10 1.2.3", "“1.2.3” isn’t a radius"),
        ("!poll_rate", "whole number of minutes"),
        ("!poll_rate soon", "“soon” isn’t a poll rate"),
        ("!poll_rate 0", "Choose 1 to 10080"),
        ("!poll_rate 30 first", "“first” isn’t a target number"),
        ("!poll_rate 30 0", "“0” isn’t a target number"),
        ("!notifications loud", "“loud” isn’t a kind"),
        ("!notifications machines loud 2", "“loud” isn’t a kind"),
        ("!notifications 2", "Which kinds?"),
    ],
)
def test_what_cannot_be_read_says_why_and_what_to_write(line: str, sentence: str) -> None:
    assert sentence in problem(line)


def test_comments_blank_lines_and_fences_are_passed_over() -> None:
    text = "```md\n# mine\n\n!add location 874\r\n   \n#!add location 1\n```\n"
    assert [(line.number, line.line) for line in read(text)] == [(4, "!add location 874")]


def test_a_noted_point_belongs_to_the_next_city_alone() -> None:
    text = '# at 45.5,-122.6\n/add city name:"Portland" radius:25\n/add city name:"Salem"\n'
    first, second = read(text)
    assert first.request == AddCity("Portland", 25, Area(45.5, -122.6))
    assert second.request == AddCity("Salem")


def test_a_noted_name_belongs_to_the_next_location_of_its_id_alone() -> None:
    known, again = read('# location 874: "The \\"GK\\""\n/add location name:874\n/add location name:874')
    assert known.request == AddLocation("874", 'The "GK"')
    assert again.request == AddLocation("874")
    assert only('# location 874: "GK"\n/add location name:9') == AddLocation("9")


def test_a_character_no_database_holds_is_left_out() -> None:
    assert only("/add location name:Ground\0Kontrol") == AddLocation("GroundKontrol")


def test_a_noted_point_out_of_range_is_an_ordinary_comment() -> None:
    assert only("# at 145.5,-122.6\n/add city name:Portland") == AddCity("Portland")


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    for line in read(text):
        assert (line.request is None) != (line.problem is None)


names = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1).map(str.strip).filter(bool)


@given(names)
def test_any_name_survives_its_quotes(name: str) -> None:
    assert only(f"/add location name:{quoted(name)}") == AddLocation(name)


@given(names, st.integers(1, MAX_POLL_RATE_MINUTES))
def test_a_name_never_spills_into_the_next_argument(name: str, radius: int) -> None:
    radius = min(radius, 100)
    assert only(f"/add city name:{quoted(name)} radius:{radius}") == AddCity(name, radius)
