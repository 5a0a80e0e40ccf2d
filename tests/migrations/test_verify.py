"""Every problem of a database is reported in a sentence."""

from pathlib import Path

import pytest

from dispinmap.database.errors import DatabaseError
from dispinmap.database.upgrade import upgrade
from dispinmap.database.verify import notes, revision, verify
from tests.migrations.legacy import rows, write


def test_a_database_at_head_has_no_problems(database_file: Path) -> None:
    assert verify(f"sqlite:///{database_file}") == []


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ("DROP TABLE channel_parkings", "The table channel_parkings is missing."),
        ("CREATE TABLE notes (id INTEGER)", "The table notes should not be there."),
        ("ALTER TABLE messages DROP COLUMN error", "messages: column error is missing."),
        ("ALTER TABLE messages ADD COLUMN mood VARCHAR", "messages: column mood should not be there."),
        ("DROP INDEX unique_channel_area", "monitoring_targets: index unique_channel_area is missing."),
        (
            "INSERT INTO seen_submissions (channel_id, submission_id) VALUES (404, 1)",
            "seen_submissions refers to rows of channel_configs that do not exist (how many: 1, the first: 1).",
        ),
    ],
)
def test_differences_are_reported(database_file: Path, damage: str, sentence: str) -> None:
    write(database_file, damage)
    assert verify(f"sqlite:///{database_file}") == [sentence]


def test_types_defaults_and_constraints_are_compared(database_file: Path) -> None:
    write(database_file, "DROP TABLE seen_submissions")
    write(
        database_file,
        "CREATE TABLE seen_submissions (id INTEGER NOT NULL PRIMARY KEY, channel_id VARCHAR, "
        "submission_id BIGINT NOT NULL DEFAULT 7, seen_at DATETIME)",
    )
    assert sorted(verify(f"sqlite:///{database_file}")) == [
        "seen_submissions.channel_id: nullable is True and should be False.",
        "seen_submissions.channel_id: type is VARCHAR and should be BIGINT.",
        "seen_submissions.seen_at: default is None and should be CURRENT_TIMESTAMP.",
        "seen_submissions.submission_id: default is 7 and should be None.",
        "seen_submissions: constraint unique_channel_submission is missing.",
        "seen_submissions: fk on channel_id is missing.",
    ]


def test_tables_of_litestream_are_not_reported(database_file: Path) -> None:
    write(database_file, "CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)")
    assert verify(f"sqlite:///{database_file}") == []


def test_an_upgrade_that_ends_with_a_difference_fails(database_file: Path) -> None:
    write(database_file, "DROP INDEX ix_submissions_created_at")
    with pytest.raises(DatabaseError, match="submissions: index ix_submissions_created_at is missing"):
        upgrade(f"sqlite:///{database_file}")


def test_a_damaged_file_is_reported(database_file: Path) -> None:
    content = bytearray(database_file.read_bytes())
    content[4096 * 3 : 4096 * 4] = b"\xff" * 4096
    database_file.write_bytes(content)
    assert verify(f"sqlite:///{database_file}") != []


def test_a_missing_file_is_reported_and_not_created(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.db"
    assert verify(f"sqlite:///{path}") == [f"There is no database at {path}: check the path."]
    assert revision(f"sqlite:///{path}") is None
    assert not path.exists()


@pytest.mark.parametrize(
    ("constraint", "sentence"),
    [
        ("", "feed_state: the primary key is () and should be (id)."),
        (", PRIMARY KEY (id), CHECK (id = 1)", "feed_state: CHECK (id = 1) should not be there."),
    ],
)
def test_primary_keys_and_checks_are_compared(database_file: Path, constraint: str, sentence: str) -> None:
    write(database_file, "DROP TABLE feed_state")
    times = "history_until DATETIME NOT NULL, cursor_created_at DATETIME NOT NULL, last_polled_at DATETIME"
    gap = "reading_since DATETIME, unread_before DATETIME"
    write(database_file, f"CREATE TABLE feed_state (id INTEGER NOT NULL, {times}, {gap}{constraint})")
    assert verify(f"sqlite:///{database_file}") == [sentence]


@pytest.mark.parametrize(
    ("condition", "found"),
    [("", "all rows"), (" WHERE location_id IS NOT NULL", "the rows where location_id is not null")],
)
def test_the_rows_of_a_partial_index_are_compared(database_file: Path, condition: str, found: str) -> None:
    write(database_file, "DROP INDEX unique_channel_area")
    columns = "(channel_id, target_type, target_name)"
    write(database_file, f"CREATE UNIQUE INDEX unique_channel_area ON monitoring_targets {columns}{condition}")
    (sentence,) = verify(f"sqlite:///{database_file}")
    assert sentence == (
        f"monitoring_targets: index unique_channel_area holds {found} and should hold the rows where "
        "location_id is null."
    )


def test_another_revision_is_reported_instead_of_each_difference(legacy_file: Path) -> None:
    sentence = verify(f"sqlite:///{legacy_file}")[-1]
    assert sentence.startswith("The database is without a revision and this version needs")


def test_what_a_foreign_key_does_is_compared(database_file: Path) -> None:
    (sql,) = rows(database_file, "SELECT sql FROM sqlite_master WHERE name = 'notifications'")
    write(database_file, "DROP TABLE notifications")
    write(database_file, sql.replace(" ON DELETE SET NULL", ""))
    found = verify(f"sqlite:///{database_file}")
    assert any("fk on target_id" in sentence for sentence in found)


def test_unreadable_times_and_targets_that_cannot_be_watched_are_noted(database_file: Path) -> None:
    write(database_file, "INSERT INTO channel_configs (channel_id, guild_id, last_poll_at) VALUES (1, 1, 'noon')")
    write(
        database_file,
        "INSERT INTO monitoring_targets (channel_id, target_type, target_name) VALUES (1, 'location', 'Nowhere')",
    )
    assert verify(f"sqlite:///{database_file}") == []
    target, time = notes(f"sqlite:///{database_file}")
    assert target == "Channel 1, target 1: “Nowhere” has no Pinball Map location id: remove it and add it again."
    assert time.startswith("channel_configs.last_poll_at of row 1 is “noon”, which is not a time: write it in UTC")


def test_unknown_kinds_are_noted(database_file: Path) -> None:
    write(
        database_file,
        "INSERT INTO channel_configs (channel_id, guild_id, notification_types) VALUES "
        "(1, 1, 'machines, scroes'), (2, 1, 'Scores,machines'), (3, 1, NULL)",
    )
    (sentence,) = notes(f"sqlite:///{database_file}")
    assert sentence.startswith(
        "channel_configs.notification_types of row 1 is “machines, scroes”. Unknown there: scroes. Use machines,"
    )


def test_several_stamps_are_reported(database_file: Path) -> None:
    write(database_file, "INSERT INTO alembic_version VALUES ('ffffffffffff')")
    (sentence,) = verify(f"sqlite:///{database_file}")
    assert "has several revisions" in sentence
