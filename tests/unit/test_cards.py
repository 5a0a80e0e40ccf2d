"""Cards: what they say, and that nothing makes them break Discord's limits."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap.discordbot import cards
from dispinmap.discordbot.lines import short
from dispinmap.discordbot.markdown import clean, cut, escape, fit, length, pages
from dispinmap.outbox.destination import Card
from dispinmap.pinballmap.models import Submission, SubmissionType
from dispinmap.targets.models import Area
from tests.fakes.values import notification

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HAWTHORNE = Area(45.512, -122.617, 25)


def submission(number: int = 1, kind: str = SubmissionType.NEW_LMX, **changes: object) -> Submission:
    values: dict[str, object] = {
        "location_id": 874,
        "location_name": "Ground Kontrol Classic Arcade",
        "city_name": "Portland",
        "latitude": 45.5240826,
        "longitude": -122.675826,
        "machine_name": "Monster Bash (Williams, 1998)",
        "user_name": "silverball",
    }
    return Submission(number, kind, NOON, **(values | changes))  # type: ignore[arg-type]  # checked by the tests' use


def card(*submissions: Submission, area: Area | None = None) -> Card:
    return Card(tuple(notification(one, area) for one in submissions))


def test_a_machine_that_came_is_green_with_its_name_maker_year_who_and_when() -> None:
    shown = cards.embed(card(submission()))
    assert shown["title"] == "Ground Kontrol Classic Arcade"
    assert shown["url"] == "https://pinballmap.com/map?by_location_id=874#submissions=1"
    assert shown["color"] == 0x2E9E5B
    lines = shown["description"].split("\n\n")
    assert lines[0] == "Portland"
    assert lines[1] == f"+ **Monster Bash (Williams, 1998)** · added by silverball <t:{int(NOON.timestamp())}:R>"
    assert lines[2] == ("[Changed again? Update it on Pinball Map](https://pinballmap.com/map?by_location_id=874)")
    assert shown["footer"]["text"] == "Data: Pinball Map, CC BY-SA 4.0"


def test_an_area_adds_the_distance_to_its_centre_in_miles_and_kilometres() -> None:
    assert (
        "Portland · 3 mi (4.8 km) from the centre\n" in cards.embed(card(submission(), area=HAWTHORNE))["description"]
    )


def test_with_several_areas_the_nearest_centre_counts() -> None:
    here, far = Area(45.5240826, -122.675826), Area(46, -123)
    one, two = submission(1), submission(2)
    shown = cards.embed(Card((notification(one, far), notification(two, here))))
    assert "0 mi (0 km) from the centre" in shown["description"]


@pytest.mark.parametrize(
    ("kinds", "colour"),
    [
        ([SubmissionType.REMOVE_MACHINE], 0xD1453B),
        ([SubmissionType.NEW_CONDITION], 0x3B82D1),
        ([SubmissionType.NEW_LMX, SubmissionType.REMOVE_MACHINE], 0x8A63D2),
        (["something_new"], 0x8A63D2),
    ],
)
def test_the_colour_tells_the_kind(kinds: list[str], colour: int) -> None:
    assert cards.embed(card(*(submission(i, kind) for i, kind in enumerate(kinds))))["color"] == colour


def test_what_came_stands_before_what_left_before_what_was_said() -> None:
    shown = cards.embed(
        card(
            submission(1, SubmissionType.NEW_CONDITION, comment="plays well"),
            submission(2, SubmissionType.REMOVE_MACHINE),
            submission(3, SubmissionType.NEW_LMX),
        )
    )
    assert [line[0] for line in shown["description"].split("\n\n")[1].splitlines()] == ["+", "−", "✎"]
    assert "“plays well” · silverball" in shown["description"]


def test_a_card_of_a_submission_that_knows_nothing_is_still_a_card() -> None:
    shown = cards.embed(card(Submission(9, SubmissionType.REMOVE_MACHINE, NOON), area=HAWTHORNE))
    assert shown["title"] == "A location without a name"
    assert shown["url"] == "https://pinballmap.com/map#submissions=9"
    assert shown["description"].startswith("− **a machine** · removed <t:")


WHEN = f"<t:{int(NOON.timestamp())}:R>"


@pytest.mark.parametrize(
    ("shown", "line"),
    [
        (
            submission(1, SubmissionType.NEW_MSX, high_score=1_234_567_890),
            f"• **Monster Bash (Williams, 1998)** 1,234,567,890 · high score by silverball {WHEN}",
        ),
        (
            submission(1, SubmissionType.NEW_MSX, machine_name=None, user_name=None),
            f"• **a machine** · high score {WHEN}",
        ),
        (
            submission(1, SubmissionType.CONFIRM_LOCATION, machine_name=None),
            f"• **Line-up confirmed** · by silverball {WHEN}",
        ),
        (
            submission(1, SubmissionType.ADD_LOCATION, machine_name=None),
            f"+ **Location opened** · by silverball {WHEN}",
        ),
        (
            submission(1, SubmissionType.DELETE_LOCATION, machine_name=None, user_name=None),
            f"− **Location closed** · {WHEN}",
        ),
        (
            submission(1, "new_picture", sentence="silverball took a picture of *Ground Kontrol*. @everyone"),
            f"• silverball took a picture of \\*Ground Kontrol\\*. @\u200beveryone · {WHEN}",
        ),
        (submission(1, "ic_toggle"), f"• **Monster Bash (Williams, 1998)** · ic toggle by silverball {WHEN}"),
        (
            submission(1, "ic_toggle", sentence=" \u202e"),
            f"• **Monster Bash (Williams, 1998)** · ic toggle by silverball {WHEN}",
        ),
        (submission(1, sentence="Theirs."), f"+ **Monster Bash (Williams, 1998)** · added by silverball {WHEN}"),
    ],
)
def test_every_type_has_its_line(shown: Submission, line: str) -> None:
    assert cards.embed(card(shown))["description"].split("\n\n")[1] == line


def test_a_long_sentence_of_theirs_is_cut() -> None:
    shown = short(submission(1, "new_picture", sentence="so many words " * 100))
    assert len(shown) < 400
    assert re.search(r"(so|many|words)… · <t:", shown)


def test_a_list_says_where_a_location_opened_or_closed() -> None:
    opened = short(submission(1, SubmissionType.ADD_LOCATION, machine_name=None))
    assert opened == f"+ **Location opened** · Ground Kontrol Classic Arcade · by silverball {WHEN}"


def test_what_is_about_the_whole_location_stands_before_its_machines() -> None:
    shown = cards.embed(
        card(submission(1, SubmissionType.REMOVE_MACHINE), submission(2, SubmissionType.DELETE_LOCATION))
    )
    assert shown["description"].split("\n\n")[1].startswith("− **Location closed**")
    assert shown["color"] == 0xD1453B
    assert shown["url"].endswith("#submissions=1,2")


def test_a_long_comment_ends_at_a_word_with_an_ellipsis() -> None:
    shown = cards.embed(card(submission(1, SubmissionType.NEW_CONDITION, comment="flipper weak " * 100)))
    assert re.search(r"(weak|flipper)…” · silverball", shown["description"])


def test_a_list_over_several_places_names_the_place() -> None:
    assert short(submission()).startswith(
        "+ **Monster Bash (Williams, 1998)** at Ground Kontrol Classic Arcade · added"
    )


@pytest.mark.parametrize("url", [None, "", "https://example.org/#submissions=1", "https://pinballmap.com/map?by=1"])
def test_other_links_carry_no_submissions(url: str | None) -> None:
    assert cards.submission_ids(url) == frozenset()


TEXT = st.text(max_size=400) | st.text("*_~|`[]()<>@#-:/\\1.\n ab", max_size=400)
MAYBE = st.none() | TEXT
SUBMISSIONS = st.builds(
    Submission,
    id=st.integers(1, 2**63 - 1),
    type=st.sampled_from(list(SubmissionType)) | TEXT,
    created_at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 (bounds must be naive)
    location_id=st.none() | st.integers(1, 2**63 - 1),
    location_name=MAYBE,
    city_name=MAYBE,
    latitude=st.none() | st.floats(-90, 90),
    longitude=st.none() | st.floats(-180, 180),
    machine_name=MAYBE,
    user_name=MAYBE,
    comment=MAYBE,
    sentence=MAYBE,
    high_score=st.none() | st.integers(0, 2**63 - 1),
)
NOTIFICATIONS = st.builds(notification, SUBMISSIONS, st.none() | st.just(HAWTHORNE))
CARDS = st.lists(NOTIFICATIONS, min_size=1, max_size=60).map(lambda those: Card(tuple(those)))


@given(CARDS)
def test_every_card_is_within_discords_limits(one: Card) -> None:
    shown = cards.embed(one)
    assert 1 <= length(shown["title"]) <= 256
    assert 1 <= length(shown["description"]) <= 4096
    assert length(shown["url"]) <= 2048
    assert length(shown["footer"]["text"]) <= 2048
    assert 0 <= shown["color"] <= 0xFFFFFF
    assert cards.measure(one) <= cards.CARD_LIMIT <= 6000


@given(CARDS)
def test_no_notification_is_lost_silently(one: Card) -> None:
    shown = cards.embed(one)["description"]
    lines = shown.splitlines()
    told = sum(bool(re.search(r"<t:-?\d+:R>$", line)) for line in lines)
    more = [int(found[1]) for line in lines if (found := re.fullmatch(r"… and (\d+) more", line))]
    assert told + sum(more) == len(one.notifications)
    assert told >= 1


@given(st.lists(st.integers(1, 2**63 - 1), min_size=1, max_size=cards.ITEM_LIMIT), st.none() | st.integers(1))
def test_the_link_gives_every_id_back(numbers: list[int], location_id: int | None) -> None:
    location = None if location_id is None else location_id % 2**63
    one = card(*(submission(number, location_id=location) for number in numbers))
    assert cards.submission_ids(cards.embed(one)["url"]) == frozenset(numbers)


def test_a_link_with_more_ids_than_fit_keeps_to_the_limit() -> None:
    one = card(*(submission(10**18 + number) for number in range(300)))
    url = cards.embed(one)["url"]
    assert len(url) <= cards.URL_LIMIT
    assert cards.submission_ids(url) < {10**18 + number for number in range(300)}


@given(TEXT)
def test_escaping_shows_the_same_characters_and_leaves_no_markdown(text: str) -> None:
    escaped = escape(text)
    # A letter for each escape: without one its neighbours would meet.
    plain = re.sub(r"\\(.)", "x", escaped)
    assert not re.search(r"[\\*_~|`\[\]<>]|://|@(?!\u200b)", plain)
    assert not re.match(r"#{1,3} |>|[+-] |-#|\d+[.)] ", escaped)
    assert re.sub(r"\\(.)", r"\1", escaped).replace("\u200b", "") == clean(text)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("@everyone", "@\u200beveryone"),
        ("<@&42>", r"\<@" + "\u200b" + r"&42\>"),
        ("[free](https://example.org)", r"\[free\](https\://example.org)"),
        ("||secret||", r"\|\|secret\|\|"),
        ("# loud\n- list", r"\# loud - list"),
        ("1. first", "\u200b1. first"),
        ("-# small", r"\-# small"),
        ("-33.87, 151.21", "-33.87, 151.21"),
        ("`code`", r"\`code\`"),
        ("Dave & Buster’s (Beaverton)", "Dave & Buster’s (Beaverton)"),
        ("turned \u202eround\x00", "turned round"),
        ("\ud800 half", "\ufffd half"),
    ],
)
def test_escaping(text: str, escaped: str) -> None:
    assert escape(text) == escaped


@given(TEXT, st.integers(1, 100))
def test_a_cut_keeps_to_its_limit_and_to_the_start_of_the_text(text: str, limit: int) -> None:
    short_text = cut(text, limit)
    assert length(short_text) <= limit
    assert text.startswith(short_text.removesuffix("…"))
    assert short_text == text or short_text.endswith("…")


def test_a_cut_never_splits_an_emoji_from_its_parts() -> None:
    assert cut("ab👩‍👩‍👧‍👦cd", 7) == "ab…"
    assert cut("xe\u0301y", 3) == "x…"


@given(st.lists(st.text(max_size=50), max_size=60), st.integers(20, 500))
def test_fitting_counts_what_it_leaves_out(lines: list[str], limit: int) -> None:
    text = fit([line.replace("\n", " ") for line in lines], limit)
    assert length(text) <= limit
    more = re.search(r"… and (\d+) more\Z", text)
    if more and text != "\n".join(lines):
        assert text.count("\n") + int(more[1]) == len(lines)


@given(st.lists(st.text(max_size=50), max_size=60), st.integers(1, 500), st.integers(1, 20))
def test_pages_keep_every_line_in_order(lines: list[str], limit: int, per_page: int) -> None:
    groups = pages(lines, limit, per_page)
    assert [line for group in groups for line in group] == [cut(line, limit) for line in lines]
    assert all(len(group) <= per_page and length("\n".join(group)) <= limit for group in groups)


def test_a_moment_is_discords_timestamp() -> None:
    assert (
        f"<t:{int((NOON - timedelta(hours=1)).timestamp())}:R>"
        in cards.embed(card(Submission(1, "new_lmx", NOON - timedelta(hours=1))))["description"]
    )
