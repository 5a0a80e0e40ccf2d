"""Kinds as a set, and their text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap.errors import UserError
from dispinmap.targets.kinds import EVERY_KIND, Kinds, NotificationKind, kinds_or_none, stored_kinds, unknown_words
from dispinmap.targets.values import parse_kinds
from tests.fakes.kinds import ANY_KINDS
from tests.fakes.values import kinds_of

WORDS = st.sampled_from(NotificationKind).flatmap(
    lambda kind: st.sampled_from([kind.value, kind.value.upper(), kind.value.title()])
)
BETWEEN = st.sampled_from([",", ", ", " , ", " ", "\n", " and ", ", and ", " & ", "; ", "+"])


@given(ANY_KINDS)
def test_what_is_written_reads_back_the_same(kinds: Kinds) -> None:
    assert kinds_or_none(stored_kinds(kinds)) == parse_kinds(str(kinds)) == kinds


@given(st.lists(WORDS, min_size=1, max_size=8), st.data())
def test_any_order_case_and_separator_reads_as_the_same_kinds(words: list[str], data: st.DataObject) -> None:
    text = words[0] + "".join(data.draw(BETWEEN) + word for word in words[1:])
    expected = Kinds(kind for kind in NotificationKind for word in words if word.lower() == kind)
    if NotificationKind.ALL in (word.lower() for word in words):
        expected = EVERY_KIND
    assert kinds_or_none(text) == parse_kinds(text) == expected


def test_kinds_are_written_in_one_order() -> None:
    assert str(kinds_of("places", "machines", "scores")) == "machines,scores,places"


def test_all_absorbs_the_others_but_naming_each_is_not_all() -> None:
    assert str(kinds_of("scores", "all")) == "all"
    each = Kinds(set(NotificationKind) - {NotificationKind.ALL})
    assert each != EVERY_KIND
    assert str(each) == "machines,comments,scores,confirmations,places"


def test_kinds_are_never_empty() -> None:
    with pytest.raises(ValueError, match="never empty"):
        Kinds([])


@pytest.mark.parametrize(
    ("stored", "kinds", "unknown"),
    [
        ("all", ["all"], []),
        (" Scores ,machines", ["machines", "scores"], []),
        ("machines, scroes", ["machines"], ["scroes"]),
        ("loud", [], ["loud"]),
        ("", [], []),
        (",", [], []),
    ],
)
def test_a_stored_text_means_the_kinds_it_names(stored: str, kinds: list[str], unknown: list[str]) -> None:
    assert kinds_or_none(stored) == (kinds_of(*kinds) if kinds else None)
    assert unknown_words(stored) == unknown


@pytest.mark.parametrize("stored", [None, 7])
def test_a_stored_value_that_is_not_text_is_inherited(stored: object) -> None:
    assert kinds_or_none(stored) is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("machines, scroes", "“scroes” isn’t a kind of notification. Choose one or more of machines, comments,"),
        ("default, scores", "“default” can’t be combined"),
        ("", "Which kinds"),
        (" and ", "Which kinds"),
    ],
)
def test_what_cannot_be_read_says_what_to_write(text: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        parse_kinds(text)


def test_default_stands_for_no_own_choice() -> None:
    assert parse_kinds(" Default ") is None
