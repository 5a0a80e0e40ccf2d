"""Another database of this bot: everything comes along, also what is still to be delivered."""

from pathlib import Path

import pytest

from dispinmap.database.adopt.adoption import Adopter
from dispinmap.database.verify import verify
from tests.fakes.lookups import FakeGeocoder
from tests.migrations import shapes
from tests.migrations.legacy import rows, write

NOW = "2026-03-01 12:00:00.000000"
DUE = """
SELECT n.channel_id, n.submission_id, n.state, t.target_name, m.nonce
FROM notifications n LEFT JOIN monitoring_targets t ON t.id = n.target_id LEFT JOIN messages m ON m.id = n.message_id
ORDER BY n.submission_id
"""


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A database whose channel 11 has one notification waiting and one in a message whose outcome is unknown."""
    path = shapes.ours(tmp_path / "other.db")
    for id_ in (501, 502):
        write(
            path,
            "INSERT INTO submissions (id, submission_type, created_at, location_id, fed_at)"
            " VALUES (?, 'new_lmx', ?, 874, ?)",
            id_,
            NOW,
            NOW,
        )
    write(
        path,
        "INSERT INTO messages (id, channel_id, nonce, state, attempted_at, next_attempt_at, created_at)"
        " VALUES (7, 11, 'a-nonce', 'pending', ?, ?, ?)",
        NOW,
        NOW,
        NOW,
    )
    for id_, message_id in ((501, 7), (502, None)):
        write(
            path,
            "INSERT INTO notifications (channel_id, submission_id, target_id, message_id, state, due_at, created_at)"
            " VALUES (11, ?, 1, ?, 'pending', ?, ?)",
            id_,
            message_id,
            NOW,
            NOW,
        )
    write(path, "INSERT INTO channel_parkings VALUES (12, 'closed', 2, ?, ?)", NOW, NOW)
    write(path, "INSERT INTO feed_state VALUES (1, ?, ?, ?, NULL, NULL)", NOW, NOW, NOW)
    return path


async def adopt(file: Path, new: Path) -> None:
    await Adopter(FakeGeocoder()).adopt(file, f"sqlite:///{new}")
    assert verify(f"sqlite:///{new}") == []


async def test_settings_of_targets_are_kept_because_this_bot_used_them(other: Path, database_file: Path) -> None:
    await adopt(other, database_file)
    settings = rows(database_file, "SELECT poll_rate_minutes, notification_types FROM monitoring_targets ORDER BY id")
    assert settings[0] == (5, "comments")
    assert set(settings[1:]) == {(None, None)}


async def test_waiting_notifications_are_delivered_by_the_new_bot(other: Path, database_file: Path) -> None:
    # Other ids than in the other database.
    write(database_file, "INSERT INTO channel_configs (channel_id, guild_id) VALUES (1, 1)")
    write(
        database_file,
        "INSERT INTO monitoring_targets (channel_id, target_type, target_name, location_id)"
        " VALUES (1, 'location', 'Elsewhere', 1)",
    )
    await adopt(other, database_file)
    assert rows(database_file, DUE) == [
        (11, 501, "pending", "Austin Pinball Collective", "a-nonce"),
        (11, 502, "pending", "Austin Pinball Collective", None),
    ]
    assert rows(database_file, "SELECT channel_id, attempts FROM channel_parkings") == [(12, 2)]


async def test_a_new_bot_continues_the_feed_where_the_other_stopped(other: Path, database_file: Path) -> None:
    await adopt(other, database_file)
    assert rows(database_file, "SELECT cursor_created_at FROM feed_state") == [NOW]
    assert rows(database_file, "SELECT COUNT(*) FROM submissions WHERE fed_at IS NOT NULL") == [2]


async def test_a_bot_that_reads_the_feed_still_announces_what_only_the_other_read(
    other: Path, database_file: Path
) -> None:
    write(
        database_file,
        "INSERT INTO feed_state VALUES (1, '2026-01-01 00:00:00', '2026-02-01 00:00:00', NULL, NULL, NULL)",
    )
    await adopt(other, database_file)
    assert rows(database_file, "SELECT cursor_created_at FROM feed_state") == ["2026-02-01 00:00:00"]
    assert rows(database_file, "SELECT COUNT(*) FROM submissions WHERE fed_at IS NULL") == [2]


async def test_adopting_it_twice_delivers_nothing_twice(other: Path, database_file: Path) -> None:
    await adopt(other, database_file)
    await adopt(other, database_file)
    assert len(rows(database_file, DUE)) == 2
    assert rows(database_file, "SELECT COUNT(*) FROM messages") == [1]


@pytest.mark.parametrize("revision", ["456027f000c1", "5c8e4212f5ed"])
async def test_an_older_database_is_upgraded_on_a_copy_first(
    revision: str, tmp_path: Path, database_file: Path
) -> None:
    file = shapes.ours(tmp_path / "older.db", revision)
    before = file.read_bytes()
    await adopt(file, database_file)
    assert file.read_bytes() == before
    assert len(rows(database_file, "SELECT id FROM monitoring_targets")) == 8


async def test_a_target_written_by_hand_brings_a_channel_along(tmp_path: Path, database_file: Path) -> None:
    file = shapes.ours(tmp_path / "older.db", "456027f000c1")
    write(
        file,
        "INSERT INTO monitoring_targets (channel_id, target_type, target_name, location_id)"
        " VALUES (77, 'location', 'By hand', 77)",
    )
    await adopt(file, database_file)
    assert rows(database_file, "SELECT guild_id, is_active FROM channel_configs WHERE channel_id = 77") == [(0, None)]
    assert rows(database_file, "SELECT location_id FROM monitoring_targets WHERE channel_id = 77") == [77]
