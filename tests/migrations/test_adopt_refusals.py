"""What is not adopted, and that nothing is written then."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from dispinmap.database.adopt import contents
from dispinmap.database.adopt.adoption import Adopter
from dispinmap.database.errors import DatabaseError
from dispinmap.database.upgrade import upgrade
from tests.fakes.lookups import FakeGeocoder
from tests.migrations import legacy, shapes
from tests.migrations.legacy import rows, write

PAGE = 4096


async def refused(file: Path, new: Path, sentence: str) -> None:
    with pytest.raises(DatabaseError, match=sentence):
        await Adopter(FakeGeocoder()).adopt(file, f"sqlite:///{new}")


def missing(path: Path) -> None:
    assert not path.exists()


def text_file(path: Path) -> None:
    path.write_text("id,channel\n1,2\n")


def compressed(path: Path) -> None:
    path.write_bytes(b"\x04\x22\x4d\x18" + bytes(100))


def another_program_s(path: Path) -> None:
    write(path, "CREATE TABLE invoices (id INTEGER)")


def newer(path: Path) -> None:
    write(shapes.ours(path), "UPDATE alembic_version SET version_num = 'ffffffffffff'")


def unstamped(path: Path) -> None:
    write(shapes.ours(path), "DELETE FROM alembic_version")


def damaged(path: Path) -> None:
    whole = shapes.production(path).read_bytes()
    path.write_bytes(whole[:PAGE] + b"\xff" * PAGE + whole[2 * PAGE :])


REFUSED: dict[str, Callable[[Path], None]] = {
    "There is no file": missing,
    "is not an SQLite database": text_file,
    "lz4 -d": compressed,
    r"not a database of DisPinMap .* \(its tables: invoices\)": another_program_s,
    "ffffffffffff, which is newer than this version": newer,
    "but no revision": unstamped,
    "is damaged .* restore a backup": damaged,
}


@pytest.mark.parametrize("sentence", REFUSED)
async def test_a_file_that_cannot_be_adopted_is_refused_with_what_to_do(sentence: str, tmp_path: Path) -> None:
    REFUSED[sentence](tmp_path / "old.db")
    await refused(tmp_path / "old.db", tmp_path / "new.db", sentence)
    assert not (tmp_path / "new.db").exists()


async def test_the_bot_s_own_file_is_refused_because_it_would_change(tmp_path: Path) -> None:
    file = shapes.early(tmp_path / "old.db")
    await refused(file, tmp_path / "." / "old.db", "move it away")


async def test_a_file_that_is_being_written_to_is_refused(
    tmp_path: Path, database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = shapes.early(tmp_path / "old.db")
    copyfile = shutil.copyfile

    def copy_while_somebody_writes(from_: Path, to: Path) -> None:
        copyfile(from_, to)
        write(
            file,
            "INSERT INTO seen_submissions (channel_id, submission_id) SELECT 11, MAX(id) + 9 FROM seen_submissions",
        )

    monkeypatch.setattr(shutil, "copyfile", copy_while_somebody_writes)
    await refused(file, database_file, "is being written to: stop the bot")


@pytest.mark.parametrize("step", ["add_channels", "carry_out", "add_seen"])
async def test_an_adoption_that_fails_leaves_the_database_as_it_was(
    step: str, tmp_path: Path, database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = shapes.early(tmp_path / "old.db")
    real = getattr(contents, step)

    async def break_off_after(*arguments: object) -> None:
        await real(*arguments)
        raise sqlite3.OperationalError("disk full")

    monkeypatch.setattr(contents, step, break_off_after)
    await refused(file, database_file, r"nothing was written \(disk full\)")
    for table in ("channel_configs", "monitoring_targets", "seen_submissions"):
        assert rows(database_file, f"SELECT COUNT(*) FROM {table}") == [0]  # noqa: S608 -- the three above


async def test_a_row_that_would_be_lost_stops_it_before_the_commit(
    tmp_path: Path, database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forget(*_: object) -> None:
        """Seen submissions that do not come along."""

    monkeypatch.setattr(contents, "add_seen", forget)
    await refused(shapes.early(tmp_path / "old.db"), database_file, "3 seen submissions would be lost")
    assert rows(database_file, "SELECT COUNT(*) FROM monitoring_targets") == [0]


@pytest.mark.parametrize("shape", ["B", "C", "D"])
def test_the_bot_does_not_start_on_such_a_file_and_names_the_command(shape: str, tmp_path: Path) -> None:
    file = shapes.EVERY[shape](tmp_path / "pinball_bot.db")
    before = legacy.schema(file)
    with pytest.raises(DatabaseError, match=r"dispinmap db adopt FILE"):
        upgrade(f"sqlite:///{file}")
    assert legacy.schema(file) == before
