"""What becomes of the original bot's rows, up and down."""

from pathlib import Path

import pytest
from alembic import command
from alembic.util import CommandError
from structlog.testing import capture_logs

from dispinmap.database.chain import alembic_config
from dispinmap.database.revisions import LEGACY_REVISION, head
from dispinmap.database.upgrade import upgrade
from dispinmap.database.verify import revision
from tests.migrations.legacy import AUSTIN, TARGETS, rows, schema, write

HEAD_ROWS = "SELECT id, target_type, target_name, display_name, location_id FROM monitoring_targets ORDER BY id"


@pytest.fixture
def at_head(legacy_file: Path) -> Path:
    upgrade(f"sqlite:///{legacy_file}")
    return legacy_file


def downgrade(path: Path, to: str) -> None:
    command.downgrade(alembic_config(f"sqlite:///{path}"), to)


def test_every_target_is_there_merged_or_marked(at_head: Path) -> None:
    assert rows(at_head, HEAD_ROWS) == [
        (1, "location", "Austin Pinball Collective", None, 26454),
        (3, "location", "Typed by hand", "Typed by hand (no number)", None),
        (4, "city", AUSTIN, "Austin, Texas, US", None),
        (6, "city", "Nowhere", "Nowhere", None),
        (7, "latlong", "30.2672,-97.7431,10", None, None),
        (8, "latlong", "somewhere downtown", None, None),
        (9, "location", "Ground Kontrol", None, 874),
        (10, "location", "Of a channel nobody configured", None, 875),
    ]


def test_the_log_says_what_was_merged_and_what_was_marked(legacy_file: Path) -> None:
    with capture_logs() as logs:
        upgrade(f"sqlite:///{legacy_file}")
    assert [(log["kept_id"], log["merged_ids"]) for log in logs if log["event"] == "targets_merged"] == [
        (1, [2]),
        (4, [5]),
    ]
    assert [log["target_id"] for log in logs if log["event"] == "location_without_id"] == [3]


def test_targets_inherit_because_their_own_settings_never_had_an_effect(at_head: Path) -> None:
    settings = rows(at_head, "SELECT DISTINCT poll_rate_minutes, notification_types FROM monitoring_targets")
    assert settings == [(None, None)]
    assert rows(at_head, "SELECT poll_rate_minutes, notification_types, is_active FROM channel_configs") == [
        (15, "all", 1),
        (None, None, None),
        (None, None, 0),
        (None, None, 0),
    ]


def test_rows_without_a_channel_get_an_inactive_one(at_head: Path) -> None:
    assert rows(at_head, "SELECT channel_id, is_active FROM channel_configs WHERE guild_id = 0") == [(98, 0), (99, 0)]


def test_seen_submissions_stay_seen(at_head: Path) -> None:
    assert rows(at_head, "SELECT channel_id, submission_id FROM seen_submissions") == [(11, 1), (11, 2), (98, 1)]


def test_the_tables_of_litestream_are_left_alone(at_head: Path) -> None:
    assert rows(at_head, "SELECT seq FROM _litestream_seq") == [7]
    assert "_litestream_lock" in schema(at_head)


def test_a_downgrade_rebuilds_the_legacy_tables_and_their_text(legacy_file: Path) -> None:
    legacy_names = schema(legacy_file).keys()
    upgrade(f"sqlite:///{legacy_file}")
    downgrade(legacy_file, LEGACY_REVISION)
    assert schema(legacy_file).keys() == legacy_names | {"alembic_version"}
    expected = [t for t in TARGETS if t.id not in (2, 5)]
    assert rows(legacy_file, "SELECT id, target_type, target_name, target_data FROM monitoring_targets") == [
        (t.id, t.target_type, t.target_name, t.target_data) for t in expected
    ]
    fillers = rows(legacy_file, "SELECT DISTINCT poll_rate_minutes, notification_types FROM monitoring_targets")
    assert fillers == [(60, "machines")]


def test_upgrading_again_after_a_downgrade_gives_the_same(at_head: Path) -> None:
    before = rows(at_head, HEAD_ROWS)
    downgrade(at_head, LEGACY_REVISION)
    upgrade(f"sqlite:///{at_head}")
    assert rows(at_head, HEAD_ROWS) == before


def test_each_revision_can_be_undone_and_repeated_with_rows(at_head: Path) -> None:
    config = alembic_config(f"sqlite:///{at_head}")
    before = rows(at_head, HEAD_ROWS)
    while revision(f"sqlite:///{at_head}") != LEGACY_REVISION:
        command.downgrade(config, "-1")
        here = schema(at_head)
        command.upgrade(config, "+1")
        command.downgrade(config, "-1")
        assert schema(at_head) == here
    command.upgrade(config, "head")
    assert revision(f"sqlite:///{at_head}") == head()
    assert rows(at_head, HEAD_ROWS) == before


def test_a_downgrade_makes_equal_names_different(at_head: Path) -> None:
    insert = "INSERT INTO monitoring_targets (channel_id, target_type, target_name, display_name, location_id) VALUES "
    write(at_head, insert + "(12, 'location', 'Ground Kontrol', NULL, 875), (12, 'city', '45.5,-122.6', 'Here', NULL)")
    write(at_head, insert + "(12, 'city', '45.5,-122.6,10', 'Here', NULL)")
    downgrade(at_head, LEGACY_REVISION)
    found = rows(
        at_head, "SELECT target_name, target_data FROM monitoring_targets WHERE channel_id = 12 AND id > 8 ORDER BY id"
    )
    assert found == [
        ("Ground Kontrol", "874"),
        ("Ground Kontrol (875)", "875"),
        ("Here", "45.5,-122.6"),
        ("Here (45.5,-122.6,10)", "45.5,-122.6,10"),
    ]


def test_there_is_no_downgrade_before_the_legacy_tables(at_head: Path) -> None:
    with pytest.raises(CommandError, match="There is nothing before 6f6f6afb1af3"):
        downgrade(at_head, "base")
    assert revision(f"sqlite:///{at_head}") == LEGACY_REVISION
    assert len(rows(at_head, "SELECT id FROM monitoring_targets")) == 8


def test_unreadable_times_become_none_and_the_log_keeps_their_text(legacy_file: Path) -> None:
    for target_id, text in ((1, "yesterday"), (3, "2025-06-01T14:30:00+02:00"), (4, "2025-06-01 12:30:00"), (6, 7)):
        write(legacy_file, "UPDATE monitoring_targets SET created_at = ? WHERE id = ?", text, target_id)
    with capture_logs() as logs:
        upgrade(f"sqlite:///{legacy_file}")
    assert rows(legacy_file, "SELECT id, created_at FROM monitoring_targets WHERE id IN (1, 3, 4, 6)") == [
        (1, None),
        (3, "2025-06-01 12:30:00.000000"),
        (4, "2025-06-01 12:30:00"),
        (6, None),
    ]
    unread = [log for log in logs if log["event"] == "unreadable_time"]
    assert [(log["table"], log["row"], log["column"], log["text"]) for log in unread] == [
        ("monitoring_targets", 1, "created_at", "yesterday"),
        ("monitoring_targets", 6, "created_at", "7"),
    ]
