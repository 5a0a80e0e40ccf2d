"""Every target is accounted for, up and down, with any rows of the original bot."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

from alembic import command
from hypothesis import given, settings
from hypothesis import strategies as st

from dispinmap.database.chain import alembic_config
from dispinmap.database.migrations.merging import wider_kind, wider_rate
from dispinmap.database.revisions import LEGACY_REVISION
from dispinmap.database.upgrade import upgrade
from tests.migrations.legacy import AUSTIN, LegacyTarget, create, rows

ROWS = "SELECT id, channel_id, target_type, target_name, display_name, location_id FROM monitoring_targets"
OLD_ROWS = "SELECT id, channel_id, target_type, target_name, target_data FROM monitoring_targets"

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
ids = st.integers(-5, 40).map(str) | st.sampled_from([" 874 ", "00874", "874.0", "8_7_4", "٨٧٤", "9" * 30, "", " "])
areas = st.sampled_from([AUSTIN, "45.5,-122.6", "45.5,-122.6,10", " 45.5,-122.6", "95,0"])
drafts = st.tuples(
    st.sampled_from([11, 12, 99]),
    st.sampled_from(["location", "city", "latlong", "volcano"]),
    texts | areas,
    st.none() | ids | areas | texts,
    st.none() | st.integers(0, 90),
    st.none() | st.sampled_from(["machines", "comments", "all", ""]),
)


class Row(NamedTuple):
    """A target at head."""

    id: int
    channel_id: int
    target_type: str
    target_name: str
    display_name: str | None
    location_id: int | None


class OldRow(NamedTuple):
    """A target after the way back."""

    id: int
    channel_id: int
    target_type: str
    target_name: str
    target_data: str | None


def legacy_targets(values: Iterable[tuple[int, str, str, str | None, int | None, str | None]]) -> list[LegacyTarget]:
    unique = {value[:3]: value for value in values}
    return [LegacyTarget(number, *value) for number, value in enumerate(unique.values(), 1)]


def meaning(target: LegacyTarget) -> tuple[int, str, object]:
    """What a legacy row stands for; rows that stand for the same are merged."""
    data = target.target_data or ""
    if target.target_type == "location":
        number = int(data) if re.fullmatch(r"\s*[0-9]{1,10}\s*", data) else 0
        return target.channel_id, "location", number if 0 < number < 2**31 else target.target_name
    if target.target_type == "city":
        return target.channel_id, "city", data.strip(" ") or target.target_name
    return target.channel_id, target.target_type, target.target_name


@settings(max_examples=8, deadline=None)
@given(st.lists(drafts, max_size=120).map(legacy_targets))
def test_every_target_keeps_its_meaning_or_is_merged_into_the_oldest_that_has_it(targets: list[LegacyTarget]) -> None:
    there_and_back(targets)


def test_none_of_thousands_of_rows_is_lost() -> None:
    there_and_back(legacy_targets(thousands(Random(5), 4000)))  # noqa: S311 -- made-up rows, the same each time


def thousands(random: Random, count: int) -> Iterator[tuple[int, str, str, str | None, int | None, str | None]]:
    """Rows in the production shape: every type, names in many scripts, repeats, NULLs and junk."""
    names = ["Austin, Texas, US", "大阪", "Кафе «Пинбол»", "مقهى", "O'Neil's", "🎯", "", "874", "45.5,-122.6"]
    for _ in range(count):
        yield (
            random.randrange(1, 60),
            random.choice(["location", "city", "latlong", "volcano"]),
            f"{random.choice(names)}{random.choice(['', ' ', random.randrange(400)])}",
            random.choice([None, "", "junk", AUSTIN, f"{random.randrange(90)}.5,10", str(random.randrange(1, 300))]),
            random.choice([None, 0, 5, 60]),
            random.choice([None, "machines", "comments", "all", "junk"]),
        )


def there_and_back(targets: list[LegacyTarget]) -> None:
    """Upgrade, downgrade, and account for every target on both sides."""
    with TemporaryDirectory() as folder:
        path = create(Path(folder) / "legacy.db", targets)
        upgrade(f"sqlite:///{path}")
        at_head = [Row(*row) for row in rows(path, ROWS)]
        command.downgrade(alembic_config(f"sqlite:///{path}"), LEGACY_REVISION)
        back = [OldRow(*row) for row in rows(path, OLD_ROWS)]

    same = defaultdict(list)
    for target in targets:
        same[meaning(target)].append(target)
    oldest = {group[0].id: group[0] for group in same.values()}
    assert {row.id for row in at_head} == {row.id for row in back} == oldest.keys()
    for row in at_head:
        check_at_head(row, oldest[row.id])
    for old in back:
        check_back(old, oldest[old.id])


def check_at_head(row: Row, target: LegacyTarget) -> None:
    value = meaning(target)[2]
    assert (row.channel_id, row.target_type) == (target.channel_id, target.target_type)
    if row.target_type == "location":
        assert row.target_name == target.target_name
        assert row.location_id == (value if isinstance(value, int) else None)
        junk = None if isinstance(value, int) else (target.target_data or "").strip()
        assert row.display_name == (f"{target.target_name} ({target.target_data})" if junk else None)
    else:
        assert row.target_name == value
        assert row.location_id is None
    if row.target_type == "city":
        assert (row.target_name if row.display_name is None else row.display_name) == target.target_name


def check_back(old: OldRow, target: LegacyTarget) -> None:
    value = meaning(target)[2]
    assert old.target_name.startswith(target.target_name)
    if old.target_type == "location":
        junk = target.target_data if (target.target_data or "").strip() else None
        assert old.target_data == (str(value) if isinstance(value, int) else junk)
    elif old.target_type == "city":
        assert old.target_data in (value, None)
    else:
        assert old.target_name == target.target_name


rates = st.none() | st.integers(1, 100)
kinds = st.sampled_from(["machines", "comments", "all"])


@given(st.lists(rates, min_size=1), st.integers(1, 100))
def test_a_merged_target_is_served_as_often_as_the_most_frequent(own: list[int | None], channel: int) -> None:
    assert (wider_rate(own, channel) or channel) == min(rate or channel for rate in own)


@given(st.lists(st.none() | kinds, min_size=1), kinds)
def test_a_merged_target_gets_everything_that_its_copies_got(own: list[str | None], channel: str) -> None:
    covered = {"machines": {"m"}, "comments": {"c"}, "all": {"m", "c"}}
    merged = wider_kind(own, channel) or channel
    assert covered[merged] == set.union(*(covered[kind or channel] for kind in own))


def test_a_merged_target_keeps_inheriting_if_that_is_wide_enough() -> None:
    assert wider_rate([None, 60], 15) is None
    assert wider_kind([None, "comments"], "all") is None
