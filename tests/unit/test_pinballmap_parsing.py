"""Any JSON from Pinball Map, parsed into values."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap.pinballmap import parsing
from dispinmap.pinballmap.errors import Malformed
from dispinmap.pinballmap.models import Location, LocationHint, Nothing, Submission
from dispinmap.pinballmap.parsing import Parsed

ROW: dict[str, Any] = {
    "id": 501,
    "submission_type": "new_lmx",
    "created_at": "2026-02-01T09:59:07.476-07:00",
    "location_id": 12,
    "location_name": "The Tilted Flipper",
    "city_name": "Springfield",
    "lat": 45.5,
    "lon": -122.6,
    "machine_id": 7,
    "machine_name": "Godzilla (Stern, 2021)",
    "user_name": "multiball_mary",
    "comment": None,
    "submission": "Godzilla (Stern, 2021) was added to The Tilted Flipper in Springfield by multiball_mary",
}
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=8,
)


def submissions(*rows: object) -> Parsed[Submission]:
    page = parsing.parse_submissions({"user_submissions": list(rows)})
    assert isinstance(page, Parsed)
    return page


def test_a_row_becomes_a_submission_in_utc() -> None:
    assert submissions(ROW).rows == (
        Submission(
            id=501,
            type="new_lmx",
            created_at=datetime(2026, 2, 1, 16, 59, 7, 476000, tzinfo=UTC),
            location_id=12,
            location_name="The Tilted Flipper",
            city_name="Springfield",
            latitude=45.5,
            longitude=-122.6,
            machine_id=7,
            machine_name="Godzilla (Stern, 2021)",
            user_name="multiball_mary",
            sentence="Godzilla (Stern, 2021) was added to The Tilted Flipper in Springfield by multiball_mary",
        ),
    )


def test_an_unknown_type_is_carried_and_an_unknown_field_ignored() -> None:
    assert submissions(ROW | {"submission_type": "tilt_alarm", "admin_title": {}}).rows[0].type == "tilt_alarm"


@pytest.mark.parametrize(("score", "read"), [(0, 0), ("12500", 12_500), (2**63, None), (-1, None), ("lots", None)])
def test_a_score_is_a_whole_number_that_a_database_can_hold(score: object, read: int | None) -> None:
    assert submissions(ROW | {"high_score": score}).rows[0].high_score == read


def test_only_id_type_and_time_are_needed() -> None:
    row = {"id": 1, "submission_type": "new_msx", "created_at": "2026-02-01T00:00:00Z"}
    assert submissions(row).rows == (Submission(1, "new_msx", datetime(2026, 2, 1, tzinfo=UTC)),)


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"id": None}, ("id",)),
        ({"id": True}, ("id",)),
        ({"id": 0}, ("id",)),
        ({"id": 2**63}, ("id",)),
        ({"submission_type": 3}, ("submission_type",)),
        ({"submission_type": " "}, ("submission_type",)),
        ({"created_at": "yesterday"}, ("created_at",)),
        ({"created_at": "2026-02-01T00:00:00"}, ("created_at",)),
        ({"created_at": "0001-01-01T00:00:00+12:00"}, ("created_at",)),
        ({"created_at": 1767225600, "submission_type": None}, ("submission_type", "created_at")),
    ],
)
def test_a_row_without_one_of_those_is_left_out_by_name(change: dict[str, Any], fields: tuple[str, ...]) -> None:
    page = submissions(ROW | change, ROW)
    assert [row.id for row in page.rows] == [501]
    assert [row.fields for row in page.rejected] == [fields]


def test_a_rejected_row_is_known_by_its_id_if_it_has_one() -> None:
    page = submissions(ROW, {"id": 9}, "text", None, {"id": "no"})
    assert [row.id for row in page.rejected] == [9, None, None, None]


def test_a_page_of_nothing_but_odd_rows_is_a_changed_api() -> None:
    with pytest.raises(Malformed, match="None of Pinball Map's 2 rows"):
        submissions({"uuid": "a"}, {"uuid": "b"})


def test_one_odd_row_alone_is_just_an_odd_row() -> None:
    assert submissions({"uuid": "a"}).rows == ()


@pytest.mark.parametrize(
    ("latitude", "longitude", "point"),
    [
        ("45.5", "-122.6", (45.5, -122.6)),
        (45, -122, (45.0, -122.0)),
        ("", "", (None, None)),
        (45.5, None, (None, None)),
        (91, 0, (None, None)),
        (float("nan"), 0, (None, None)),
        (10**400, 0, (None, None)),
        (True, 0, (None, None)),
        ([], {}, (None, None)),
    ],
)
def test_coordinates_are_both_there_or_both_missing(latitude: object, longitude: object, point: object) -> None:
    row = submissions(ROW | {"lat": latitude, "lon": longitude}).rows[0]
    assert (row.latitude, row.longitude) == point


def test_text_and_ids_are_such_that_any_database_holds_them() -> None:
    row = submissions(
        ROW | {"comment": "half \ud83d a\0b", "machine_name": "  ", "location_id": "12", "machine_id": 2**64}
    ).rows[0]
    assert (row.comment, row.machine_name, row.location_id, row.machine_id) == ("half ? ab", None, 12, None)


def test_rows_come_newest_first_and_once() -> None:
    newer = ROW | {"id": 600, "created_at": "2026-02-02T00:00:00Z"}
    assert [row.id for row in submissions(ROW, newer, ROW).rows] == [600, 501]


@given(st.dictionaries(st.sampled_from([*ROW, "other"]), anything))
def test_no_row_breaks_its_page(change: dict[str, Any]) -> None:
    page = submissions(ROW | change, ROW | {"id": 502})
    assert 502 in [row.id for row in page.rows]
    assert len(page.rows) + len(page.rejected) == 2


@given(anything)
def test_any_json_is_an_answer_or_malformed(body: object) -> None:
    for parse in (parsing.parse_submissions, parsing.parse_locations, parsing.parse_location, parsing.parse_hints):
        try:
            assert isinstance(parse(body), Parsed | Nothing | Location)
        except Malformed as error:
            assert str(error).endswith(".")  # noqa: PT017 - whether it raises depends on the example


@pytest.mark.parametrize(
    "text",
    [
        "No user submissions.",
        "No user submissions for this location.",
        "Failed to find location",
        "No user submissions found within radius.",
    ],
)
def test_the_known_sentences_mean_nothing_there(text: str) -> None:
    assert parsing.parse_submissions({"errors": text}) == Nothing(text)


def test_an_empty_list_of_submissions_means_nothing_there() -> None:
    assert parsing.parse_submissions({"user_submissions": []}) == Nothing("No user submissions.")


def test_another_error_is_a_failure_that_shows_its_beginning() -> None:
    with pytest.raises(Malformed, match="“Filtering is required") as caught:
        parsing.parse_locations({"errors": "Filtering is required for this action. " * 20})
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("body", [[], "text", None, 3, {}, {"user_submissions": None}, {"user_submissions": {}}])
def test_an_answer_of_another_shape_is_malformed(body: object) -> None:
    with pytest.raises(Malformed, match="Pinball Map's answer"):
        parsing.parse_submissions(body)


def test_a_location_has_its_coordinates_as_numbers() -> None:
    row = {"id": 12, "name": "The Tilted Flipper", "lat": "45.5", "lon": "-122.6", "num_machines": 9, "country": "US"}
    place = Location(12, "The Tilted Flipper", country="US", latitude=45.5, longitude=-122.6, machine_count=9)
    assert parsing.parse_location(row) == place
    assert parsing.parse_locations({"locations": [row]}) == Parsed((place,))


def test_a_search_without_hits_is_an_empty_page() -> None:
    assert parsing.parse_locations({"locations": []}) == Parsed(())


def test_an_object_that_is_not_a_location_is_malformed() -> None:
    with pytest.raises(Malformed, match="is not a location"):
        parsing.parse_location({"id": 12})


def test_suggestions_come_as_a_bare_list() -> None:
    rows = [{"label": "Flip (Springfield, OR)", "value": "Flip", "id": 3}, {"label": "no id"}]
    page = parsing.parse_hints(rows)
    assert isinstance(page, Parsed)
    assert page.rows == (LocationHint(3, "Flip", "Flip (Springfield, OR)"),)
    assert [row.fields for row in page.rejected] == [("id", "value")]


@pytest.mark.captures
def test_all_200_captured_rows_parse(captures: Path) -> None:
    page = parsing.parse_submissions(json.loads((captures / "location_874_recent.json").read_text()))
    assert isinstance(page, Parsed)
    assert len(page.rows) == 200
    assert page.rejected == ()
    assert Counter(row.type for row in page.rows) == {
        "new_condition": 124,
        "new_msx": 27,
        "new_lmx": 23,
        "remove_machine": 22,
        "confirm_location": 4,
    }
    assert {row.location_id for row in page.rows} == {874}
    assert None not in {row.latitude for row in page.rows}


@pytest.mark.captures
def test_the_captured_locations_and_empty_answers_parse(captures: Path) -> None:
    def load(name: str) -> object:
        return json.loads((captures / f"{name}.json").read_text())

    details = parsing.parse_location(load("location_874_details"))
    hits = parsing.parse_locations(load("search_ground_kontrol_single_result"))
    assert hits == Parsed((details,))
    assert isinstance(details, Location)
    assert (details.state, details.machine_count) == ("OR", 42)
    assert parsing.parse_submissions(load("location_874_empty")) == Nothing("No user submissions.")
    assert parsing.parse_location(load("location_999999_details")) == Nothing("Failed to find location")
    assert parsing.parse_locations(load("search_nonexistent_location_name")) == Parsed(())
