"""One bot per database file."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dispinmap import app
from dispinmap.cli.main import app as command_line
from dispinmap.clock import SystemClock
from dispinmap.database.errors import DatabaseError
from dispinmap.database.lock import _lock, in_use, keep_others_out
from dispinmap.database.revisions import head
from dispinmap.database.verify import revision
from dispinmap.secret import Secret
from dispinmap.settings import Settings
from tests.migrations import legacy
from tests.migrations.test_commands import alembic

Db = Callable[..., Result]

_HOLDER = """
import sys
from pathlib import Path
from dispinmap.database.lock import in_use
with in_use(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_bot(file: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the file as a bot does, until it is killed."""
    command = [sys.executable, "-c", _HOLDER, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


@pytest.fixture
def db(monkeypatch: pytest.MonkeyPatch) -> Db:
    monkeypatch.setattr("dispinmap.log.configure", lambda *_: None)
    return lambda *arguments: CliRunner().invoke(command_line, ["db", *arguments])


def test_a_file_that_another_bot_uses_is_refused_until_it_ends_in_any_way(tmp_path: Path) -> None:
    file = tmp_path / "bot.db"
    with another_bot(file) as holder:
        with pytest.raises(DatabaseError, match=r"Another bot is using .*bot\.db: stop it first\."), in_use(file):
            pass
        holder.kill()
        holder.wait()
        with in_use(file):
            pass


def test_two_names_of_one_file_are_one_file(tmp_path: Path) -> None:
    (tmp_path / "other.db").symlink_to(tmp_path / "bot.db")
    with in_use(tmp_path / "bot.db"), pytest.raises(DatabaseError), in_use(tmp_path / "other.db"):
        pass


def test_a_block_that_failed_releases_the_lock(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), in_use(tmp_path / "bot.db"):
        raise ZeroDivisionError
    with in_use(tmp_path / "bot.db"):
        pass


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="check that it exists"), in_use(tmp_path / "nowhere" / "bot.db"):
        pass


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "postgresql://somewhere/bot"])
def test_a_database_that_is_not_a_file_is_not_locked(url: str) -> None:
    with keep_others_out(url), keep_others_out(url):
        pass


async def test_a_second_bot_on_the_same_file_does_not_start(database_file: Path) -> None:
    settings = Settings(discord_token=Secret("made.up"), sqlalchemy_url=Secret(f"sqlite:///{database_file}"))
    with in_use(database_file), pytest.raises(DatabaseError, match="Another bot is using"):
        await app.run(settings, SystemClock())


@pytest.mark.parametrize("command", ["upgrade", "downgrade -1", "adopt"])
def test_nothing_changes_the_schema_under_a_running_bot(
    db: Db, database_file: Path, tmp_path: Path, command: str
) -> None:
    url = f"sqlite:///{database_file}"
    target = ["--into", url, str(legacy.create(tmp_path / "old.db"))] if command == "adopt" else ["--url", url]
    with in_use(database_file):
        result = db(*command.split(), *target)
    assert result.exit_code == 1
    assert "Another bot is using" in str(result.exception)
    assert revision(url) == head()


@pytest.mark.parametrize("command", ["current", "history", "verify", "backup copy.db"])
def test_reading_and_copying_is_possible_while_the_bot_runs(
    db: Db, database_file: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(database_file.parent)
    with in_use(database_file):
        assert db(*command.split(), "--url", f"sqlite:///{database_file}").exit_code == 0


def test_alembic_itself_does_not_downgrade_under_a_running_bot(database_file: Path) -> None:
    with in_use(database_file):
        answer = alembic(database_file, "downgrade", "-1")
        assert answer.returncode != 0
        assert "Another bot is using" in answer.stdout
        assert alembic(database_file, "current").returncode == 0
    assert revision(f"sqlite:///{database_file}") == head()


def test_a_file_system_without_locks_is_named_as_the_trouble(tmp_path: Path) -> None:
    # A pipe's end that is closed stands in for it: no file system here refuses to lock.
    descriptor, other = os.pipe()
    os.close(other)
    os.close(descriptor)
    with pytest.raises(DatabaseError, match="a file system that has locks"):
        _lock(descriptor, tmp_path / "bot.db")
