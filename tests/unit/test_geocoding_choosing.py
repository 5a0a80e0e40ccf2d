"""Which of the geocoder's answers a person meant."""

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap.geocoding.choosing import MAX_PLACES, Query, choose, queries
from dispinmap.geocoding.models import GeocodingError, Place
from dispinmap.geocoding.parsing import Candidate, parse_candidates
from dispinmap.geocoding.regions import CANADIAN_PROVINCES, US_STATES, fold

_SPOTS = itertools.count(-80)


def town(
    name: str,
    region: str | None,
    country: str,
    population: int | None = None,
    *,
    county: str | None = None,
    at: tuple[float, float] | None = None,
    feature: str = "PPL",
) -> Candidate:
    """A town on a made-up spot of its own, unless `at` says where."""
    code, _, country_name = country.partition(" ")
    latitude, longitude = at or (next(_SPOTS), 0)
    place = Place(name, latitude, longitude, region, country_name, code, population)
    return Candidate(place, county, feature)


US, GB, DE, CA, FR, IT = (
    "US United States",
    "GB United Kingdom",
    "DE Germany",
    "CA Canada",
    "FR France",
    "IT Italy",
)
WORLD = [
    town("Portland", "Oregon", US, 652503),
    town("Portland", "Maine", US, 66881),
    town("Portland", "Indiana", US, 6186),
    town("Sandusky", "Ohio", US, 25212),
    town("Coeur d'Alene", "Idaho", US, 54628),
    town("Munich", "Bavaria", DE, 1260391),
    town("München", "Brandenburg", DE),
    town("Birmingham", "England", GB, 1144919),
    town("Birmingham", "Alabama", US, 212237),
    town("Paris", "Île-de-France", FR, 2138551),
    town("Paris", "Texas", US, 24839),
    town("Springfield", "Missouri", US, 166810, county="Greene"),
    town("Springfield", "Massachusetts", US, 154341, county="Hampden"),
    town("Springfield", "Illinois", US, 114394, county="Sangamon"),
    town("Springfield", "Ohio", US, 58662, county="Clark"),
    town("Springfield", "Ohio", US, None, county="Gallia"),
    town("St. Louis", "Missouri", US, 315685),
    town("St. Louis", "Michigan", US, 7482),
    town("Vancouver", "British Columbia", CA, 600000),
    town("Vancouver", "Washington", US, 172860),
    town("Washington", "District of Columbia", US, 689545),
    town("Washington", "Utah", US, 27000),
    town("Frankfurt am Main", "Hesse", DE, 650000),
    town("Frankfurt (Oder)", "Brandenburg", DE, 51000),
    town("Frankfurt", "Bavaria", DE),
    town("Wilmington", "Delaware", US, 71948),
    town("Wilmington", "North Carolina", US, 115933),
    town("Cologne", "North Rhine-Westphalia", DE, 963395),
    town("Köln", "Lower Saxony", DE),
    town("Port", "Occitanie", FR, 600),
]
ASKED_FOR = {
    "Portland": ["Portland", "Sandusky"],
    "München": ["Munich", "München"],
    "Köln": ["Cologne", "Köln"],
    "Frankfurt": ["Frankfurt am Main", "Frankfurt (Oder)", "Frankfurt"],
    "Saint Louis": ["St. Louis"],
    "Port": ["Port", "Portland"],
}


def found(text: str) -> list[str]:
    """What a search would find if the geocoder knew `WORLD`, as labels."""
    for query in queries(text):
        names = ASKED_FOR.get(query.name) or [query.name]
        answers = [candidate for candidate in WORLD if fold(candidate.place.name) in map(fold, names)]
        if places := choose(query, answers):
            return [place.label for place in places]
    return []


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Portland, OR", "Portland, Oregon, United States"),
        ("portland, oregon", "Portland, Oregon, United States"),
        ("Portland, Oregon, US", "Portland, Oregon, United States"),
        ("Portland OR", "Portland, Oregon, United States"),
        ("Portland OR, USA", "Portland, Oregon, United States"),
        ("Portland, OR 97209", "Portland, Oregon, United States"),
        ("Portland OR 97209", "Portland, Oregon, United States"),
        ("Portland, Maine", "Portland, Maine, United States"),
        ("Coeur d'Alene", "Coeur d'Alene, Idaho, United States"),
        ("Coeur d’Alene, ID", "Coeur d'Alene, Idaho, United States"),
        ("München", "Munich, Bavaria, Germany"),
        ("München, Bayern", "Munich, Bavaria, Germany"),
        ("München, Deutschland", "Munich, Bavaria, Germany"),
        ("Birmingham, UK", "Birmingham, England, United Kingdom"),
        ("Birmingham, U.K.", "Birmingham, England, United Kingdom"),
        ("Birmingham United Kingdom", "Birmingham, England, United Kingdom"),
        ("Birmingham, England", "Birmingham, England, United Kingdom"),
        ("Birmingham, AL", "Birmingham, Alabama, United States"),
        ("Paris, France", "Paris, Île-de-France, France"),
        ("Paris France", "Paris, Île-de-France, France"),
        ("Paris, ile de france", "Paris, Île-de-France, France"),
        ("Paris, Texas", "Paris, Texas, United States"),
        ("St. Louis, MO", "St. Louis, Missouri, United States"),
        ("Saint Louis, MO", "St. Louis, Missouri, United States"),
        ("Vancouver, BC", "Vancouver, British Columbia, Canada"),
        ("Vancouver, Canada", "Vancouver, British Columbia, Canada"),
        ("Vancouver, CA", "Vancouver, British Columbia, Canada"),
        ("Vancouver British Columbia", "Vancouver, British Columbia, Canada"),
        ("Vancouver, WA", "Vancouver, Washington, United States"),
        ("Washington, D.C.", "Washington, District of Columbia, United States"),
        ("Washington DC", "Washington, District of Columbia, United States"),
        ("Wilmington, DE", "Wilmington, Delaware, United States"),
        ("Springfield, Greene County, MO", "Springfield, Missouri, United States"),
        ("Springfield, Sangamon", "Springfield, Illinois, United States"),
        ("Springfield, OH", "Springfield, Ohio, United States"),
        ("Köln", "Cologne, North Rhine-Westphalia, Germany"),
        ("Port", "Port, Occitanie, France"),
    ],
)
def test_one_place_is_meant(text: str, label: str) -> None:
    assert found(text) == [label]


@pytest.mark.parametrize(
    ("text", "regions"),
    [
        ("Portland", ["Oregon", "Maine", "Indiana"]),
        ("Paris", ["Île-de-France", "Texas"]),
        ("Birmingham", ["England", "Alabama"]),
        ("Portland, US", ["Oregon", "Maine", "Indiana"]),
        ("Frankfurt", ["Hesse", "Brandenburg", "Bavaria"]),
        ("St. Louis", ["Missouri", "Michigan"]),
    ],
)
def test_several_places_are_offered_biggest_first(text: str, regions: list[str]) -> None:
    assert [label.split(", ")[1] for label in found(text)] == regions


def test_springfield_stays_open_and_its_namesakes_in_ohio_are_told_apart_by_county() -> None:
    assert found("Springfield") == [
        "Springfield, Missouri, United States",
        "Springfield, Massachusetts, United States",
        "Springfield, Illinois, United States",
        "Springfield, Clark, Ohio, United States",
        "Springfield, Gallia, Ohio, United States",
    ]


@pytest.mark.parametrize(
    "text", ["Portland, Atlantis", "Portland, TX", "Nowhere", "", ",", ", OR", "Coeur d'Alene, TX"]
)
def test_what_does_not_fit_is_not_offered(text: str) -> None:
    assert found(text) == []


def test_a_town_listed_twice_within_a_few_kilometres_is_one() -> None:
    answers = [
        town("Kyoto", "Kyoto", "JP Japan", 1_459_640, at=(35.021, 135.754)),
        town("Kyōto", "Kyoto", "JP Japan", 2_000, at=(35.03, 135.76)),
    ]
    assert choose(Query("Kyoto"), answers) == (answers[0].place,)


def test_namesakes_twelve_kilometres_apart_stay_two() -> None:
    answers = [
        town("Newport", "Kentucky", US, 15_000, at=(39.09, -84.49)),
        town("Newport", "Ohio", US, 14_000, at=(39.2, -84.49)),
    ]
    assert len(choose(Query("Newport"), answers)) == 2


def test_mountains_and_airports_step_back_behind_towns() -> None:
    hill = town("Windsor", "England", GB, 90_000, feature="MT")
    small, smaller = town("Windsor", "England", GB, 31_000), town("Windsor", "Ontario", CA, 30_000)
    assert choose(Query("Windsor"), [hill, small, smaller]) == (small.place, smaller.place)
    assert choose(Query("Windsor"), [hill]) == (hill.place,)


def test_a_guess_of_the_geocoder_does_not_pass_for_a_town_while_a_state_can_be_split_off() -> None:
    as_written, split = queries("Tilt OR")
    guess, meant = town("Orange", "Texas", US, 90_000), town("Tilt", "Oregon", US, 5_000)
    assert choose(as_written, [guess]) == ()
    assert choose(split, [guess, meant]) == (meant.place,)


def test_hamlets_alone_are_all_offered() -> None:
    hamlets = [town("Tilt", "Oregon", US), town("Tilt", "Maine", US, 20)]
    assert len(choose(Query("Tilt"), hamlets)) == 2


@given(st.lists(st.tuples(st.sampled_from(["Flip", "Flip City", "Tilt"]), st.integers(0, 5000), st.integers(-80, 80))))
def test_at_most_ten_places_come_back_biggest_first(rows: list[tuple[str, int, int]]) -> None:
    answers = [town(name, None, US, size, at=(latitude, size / 100)) for name, size, latitude in rows]
    places = choose(Query("Flip"), answers)
    sizes = [place.population or 0 for place in places]
    assert len(places) <= MAX_PLACES
    assert sizes == sorted(sizes, reverse=True)
    assert bool(places) == bool(answers)


@given(st.text())
def test_any_text_makes_queries_and_folding_twice_is_folding_once(text: str) -> None:
    assert all(query.name for query in queries(text))
    assert fold(fold(text)) == fold(text)


def test_the_ways_to_read_a_text_are_tried_in_order() -> None:
    assert queries("Charleston West Virginia, USA") == (
        Query("Charleston West Virginia", ("usa",), literal=True),
        Query("Charleston", ("west virginia", "usa")),
        Query("Charleston West", ("virginia", "usa")),
    )
    assert queries("Den Haag") == (Query("Den Haag"), Query("Den", ("haag",)))
    assert queries("Ohio") == (Query("Ohio"),)
    assert queries("New York") == (Query("New York"), Query("New", ("york",)))
    assert queries("Flip !!") == (Query("Flip !!"),)


def test_the_tables_are_complete() -> None:
    assert len(US_STATES) == 51
    assert len(set(CANADIAN_PROVINCES.values())) == 13


@pytest.mark.parametrize("body", [[], None, "x", {"results": None}, {"results": {}}])
def test_an_answer_of_another_shape_is_an_error(body: object) -> None:
    with pytest.raises(GeocodingError, match="no list of places"):
        parse_candidates(body)


def test_an_answer_without_results_has_no_places() -> None:
    assert parse_candidates({"generationtime_ms": 0.6}) == ()


def test_answers_without_a_name_or_a_point_are_left_out() -> None:
    good = {"name": "Flip", "latitude": 1, "longitude": 2.5, "population": "many", "country_code": "us", "admin1": 3}
    bad: list[object] = [{**good, key: None} for key in ("name", "latitude", "longitude")]
    places = parse_candidates({"results": [*bad, good, 7, {**good, "latitude": 91}, {**good, "longitude": True}]})
    assert places == (Candidate(Place("Flip", 1.0, 2.5, country_code="US")),)


@pytest.mark.captures
def test_the_captured_portlands_are_told_from_what_was_once_called_so(captures: Path) -> None:
    def load(name: str) -> tuple[Candidate, ...]:
        return parse_candidates(json.loads((captures / f"{name}.json").read_text()))

    portlands = choose(Query("Portland"), load("city_portland"))
    assert [place.region for place in portlands] == ["Oregon", "Maine", "Indiana"]
    for query in queries("Portland, OR"):
        assert choose(query, load("city_portland")) == portlands[:1]
        assert choose(query, load("city_portland_or")) == portlands[:1]
    assert load("city_nonexistent") == ()
