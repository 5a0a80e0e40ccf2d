"""Kinds from a menu, from a message and while typing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap.discordbot.kindmenu import completions, picked_kinds
from dispinmap.discordbot.parsing import split_kinds
from dispinmap.targets.kinds import Kinds
from dispinmap.targets.values import parse_kinds
from tests.fakes.kinds import ANY_KINDS
from tests.fakes.values import kinds_of


@pytest.mark.parametrize(
    ("before", "picked", "kinds"),
    [
        ("machines", "machines scores", kinds_of("machines", "scores")),
        ("machines", "scores", kinds_of("scores")),
        ("machines", "machines", kinds_of("machines")),
        ("machines", "machines all", kinds_of("all")),
        ("machines", "machines default", None),
        ("default", "default scores", kinds_of("scores")),
        ("default", "default", None),
        ("all", "all", kinds_of("all")),
        ("all", "all scores places", kinds_of("scores", "places")),
        ("all", "all default", None),
        ("default", "default all", kinds_of("all")),
        ("machines", "default all", kinds_of("all")),
    ],
)
def test_the_options_that_were_added_decide(before: str, picked: str, kinds: Kinds | None) -> None:
    assert picked_kinds(before.split(), picked.split()) == kinds


@pytest.mark.parametrize(
    ("text", "kinds", "target"),
    [
        ("machines", "machines", None),
        ("machines scores", "machines scores", None),
        ("Machines, SCORES", "Machines, SCORES", None),
        ("machines,scores 2", "machines,scores", "2"),
        ("machines , scores 2", "machines , scores", "2"),
        ("machines and scores Ground Kontrol", "machines and scores", "Ground Kontrol"),
        ("machines scores Ground Kontrol", "machines scores", "Ground Kontrol"),
        ("machines All Star Arcade", "machines", "All Star Arcade"),
        ('machines "Scores Bar"', "machines", '"Scores Bar"'),
        ("machines, scroes 2", "machines, scroes", "2"),
        ("all 1", "all", "1"),
        ("all Scores", "all", "Scores"),
        ("default Places", "default", "Places"),
        ('"machines, scores" 1', '"machines, scores"', "1"),
        ("loud", "loud", None),
    ],
)
def test_kinds_in_a_message_end_where_the_target_begins(text: str, kinds: str, target: str | None) -> None:
    assert split_kinds(text) == (kinds, target)


@given(ANY_KINDS, st.sampled_from([", ", ",", " and "]), st.none() | st.integers(1, 99))
def test_written_kinds_and_a_number_are_read_back(kinds: Kinds, between: str, number: int | None) -> None:
    written = between.join(kinds.in_order)
    found, target = split_kinds(written if number is None else f"{written} {number}")
    assert parse_kinds(found) == kinds
    assert target == (None if number is None else str(number))


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("", ["machines", "comments", "scores", "confirmations", "places", "all", "default"]),
        ("c", ["comments", "confirmations"]),
        ("D", ["default"]),
        ("all", ["all"]),
        ("machines, s", ["machines, scores"]),
        ("scores and ma", ["scores, machines"]),
        (
            "machines, scores, ",
            [
                "machines, scores",
                "machines, scores, comments",
                "machines, scores, confirmations",
                "machines, scores, places",
            ],
        ),
        (
            "machines, machines comments scores confirmations",
            [
                "machines, comments, scores, confirmations",
                "machines, comments, scores, confirmations, places",
            ],
        ),
        ("scroes, ", []),
        ("machines, x", []),
    ],
)
def test_a_list_of_kinds_is_completed(text: str, choices: list[str]) -> None:
    assert completions(text) == choices


@given(st.text("machinescor, lad", max_size=40))
def test_every_completion_can_be_read(text: str) -> None:
    for choice in completions(text):
        parse_kinds(choice)
