"""What of a person's text reaches Pinball Map."""

import re
from urllib.parse import unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap.pinballmap.queries import MAX_QUERY_LENGTH, clean_query

BANNED = re.compile(
    r"page=\D|/etc/passwd|sleep\(|\.php|\.\.|<script|union\s+(all\s+)?select|--|[\x00-\x1f\x7f]|%", re.IGNORECASE
)
FRAGMENTS = [
    *("page=", "page", "=", "x", "/etc/passwd", "sleep(", ".php", ".", "p", "h", "../", "<script", "union", "select"),
    *(
        " ",
        "all",
        "%00",
        "%70",
        "%2e",
        "%252e",
        "+",
        "\0",
        "\n",
        "-",
        "ſ",
        "ｐ",
        "．",
        "’",
        "´",
        "İ",
        "é",
        "京",
        "&",
        "'",
    ),
]
hostile = st.one_of(st.text(), st.lists(st.sampled_from(FRAGMENTS)).map("".join))


@given(hostile)
def test_nothing_that_gets_an_address_banned_survives_however_often_it_is_decoded(text: str) -> None:
    cleaned = clean_query(text)
    for decoded in (cleaned, unquote_plus(cleaned), unquote_plus(unquote_plus(cleaned))):
        assert not BANNED.search(f"by_location_name={decoded}&no_details=1")


@given(hostile)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean_query(clean_query(text)) == clean_query(text)


@given(hostile)
def test_the_result_is_short_and_without_blanks_at_its_ends(text: str) -> None:
    cleaned = clean_query(text)
    assert len(cleaned) <= MAX_QUERY_LENGTH
    assert cleaned == cleaned.strip()


@pytest.mark.parametrize(
    "name",
    [
        "Ground Kontrol Classic Arcade",
        "Dave & Buster's",
        "A.C.E. Arcade",
        "Wedgehead",
        "Logan Arcade - Chicago",
        "Up-Down!",
        "1.21 Gigawatts",
        "St. Louis",
        "Coeur d'Alene",
        "München",
        "京都ピンボール",
        "Флиппер",
        "हिन्दी",
        "Page 42",
        "Sleep Inn",
    ],
)
def test_an_honest_name_passes_unchanged(name: str) -> None:
    assert clean_query(name) == name


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  Ground \t Kontrol\n", "Ground Kontrol"),
        ("Dave’s", "Dave's"),
        ("Up–Down", "Up-Down"),
        ("ŉ Flipper", "'n Flipper"),
        ("page=../../etc/passwd", "page etc passwd"),
        ("index.php", "index php"),
        ("1 union select 2", "1 union-select 2"),
        ("1 UNION.ALL SELECT 2", "1 UNION-ALL SELECT 2"),
        ("sleep(5)--", "sleep 5 -"),
        ("<script>alert</script>", "script alert script"),
        ("%70age%3Dx", "70age 3Dx"),
        ("!" * 1000, "!" * MAX_QUERY_LENGTH),
        ("%%%", ""),
        ("", ""),
    ],
)
def test_what_could_be_taken_for_an_attack_is_taken_apart(text: str, cleaned: str) -> None:
    assert clean_query(text) == cleaned
