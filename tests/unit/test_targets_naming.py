"""What people type for a location."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap.errors import UserError
from dispinmap.pinballmap.models import Location
from dispinmap.targets.naming import CHOICES, fold, location_id_in, ranked, search_text, unquoted

KONTROL = Location(874, "Ground Kontrol Classic Arcade", "Portland", "OR", machine_count=42)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Café Zoë", "cafe zoe"),
        ("Wedgehead", "WEDGEHEAD"),
        ("Quarterworld!", "quarterworld"),
        ("Dave & Buster's", "Dave and Busters"),
        ("Straße 7", "strasse 7"),
        ("C Bar (Portland)", "c bar - portland"),
        ("St. Johns", "st johns"),
    ],
)
def test_case_accents_and_punctuation_do_not_matter(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    "text",
    [
        "874",
        "https://pinballmap.com/map?by_location_id=874",
        "https://pinballmap.com/map?foo=1&by_location_id=874&by_city=Portland#submissions=1,2",
        "<https://www.pinballmap.com/map/?by_location_id=874>",
        "pinballmap.com/map?by_location_id=874",
        "http://pinballmap.com/portland?by_location_id=874",
        "https://pinballmap.com/locations/874",
        "https://pinballmap.com/api/v1/locations/874.json?no_details=1",
        "HTTPS://PinballMap.com/locations/874/",
    ],
)
def test_an_id_and_a_link_name_the_location(text: str) -> None:
    assert location_id_in(text) == 874


@pytest.mark.parametrize(
    "text",
    [
        "Ground Kontrol",
        "8 on the Break",
        "99999999999",
        "٣٤",
        "Bar [x",
        "https://example.com/map?by_location_id=874",
        "",
    ],
)
def test_anything_else_is_a_name(text: str) -> None:
    assert location_id_in(text) is None


@pytest.mark.parametrize(
    "link",
    [
        "https://pinballmap.com",
        "https://pinballmap.com/map",
        "pinballmap.com/map?by_location_id=x",
        "pinballmap.com//[",
    ],
)
def test_a_link_without_location_is_explained(link: str) -> None:
    with pytest.raises(UserError, match="name a location"):
        location_id_in(link)


@given(st.text())
def test_no_text_breaks_the_reading_of_links(text: str) -> None:
    location_id_in(text)


def test_an_exact_hit_wins_alone() -> None:
    other = Location(2, "Ground Kontrol Classic Arcade Annex")
    assert ranked("ground kontrol: classic arcade", [other, KONTROL]) == (KONTROL,)


def test_a_label_of_the_autocomplete_is_an_exact_hit() -> None:
    twin = Location(2, KONTROL.name, "Seattle", "WA")
    label = "Ground Kontrol Classic Arcade (Portland, OR)"
    assert search_text(label) == KONTROL.name
    assert ranked(label, [twin, KONTROL]) == (KONTROL,)


def test_several_exact_hits_are_a_choice() -> None:
    twin = Location(2, KONTROL.name, "Seattle", "WA")
    assert ranked(KONTROL.name, [twin, KONTROL]) == (KONTROL, twin)


def test_candidates_come_best_first() -> None:
    inside = Location(1, "The Pinball Shop", machine_count=90)
    small = Location(2, "Pinball Den", machine_count=3)
    large = Location(3, "Pinball Hall", machine_count=300)
    assert ranked("pinball", [inside, small, large]) == (large, small, inside)


def test_no_more_candidates_than_a_menu_takes() -> None:
    assert len(ranked("bar", [Location(n, f"Bar {n}") for n in range(60)])) == CHOICES


def test_no_match_has_no_candidates() -> None:
    assert ranked("nowhere", []) == ()


@pytest.mark.parametrize("text", ['"Ground Kontrol"', "“Ground Kontrol”", " 'Ground Kontrol' ", "Ground Kontrol"])
def test_quotes_around_a_name_are_no_part_of_it(text: str) -> None:
    assert unquoted(text) == "Ground Kontrol"
