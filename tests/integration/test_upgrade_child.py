"""The bot upgrades its database in a process of its own."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
from asyncio.subprocess import Process
from contextlib import closing, suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from dispinmap.database import child
from dispinmap.database.child import bring_to_head
from dispinmap.database.errors import DatabaseError
from dispinmap.database.lock import in_use
from dispinmap.database.revisions import LEGACY_REVISION, head
from dispinmap.database.verify import revision
from tests.migrations import legacy
from tests.migrations.legacy import write

PATIENCE = 60
IMPORTED = """
import asyncio, sys
import dispinmap.app, dispinmap.start
from dispinmap.database.child import bring_to_head
asyncio.run(bring_to_head(sys.argv[1]))
assert "alembic" not in sys.modules
"""


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> asyncio.Queue[Process]:
    """The processes that the bot starts."""
    queue: asyncio.Queue[Process] = asyncio.Queue()
    start = asyncio.create_subprocess_exec

    async def noted(*command: str, stdin: int, stdout: int, start_new_session: bool) -> Process:
        process = await start(*command, stdin=stdin, stdout=stdout, start_new_session=start_new_session)
        queue.put_nowait(process)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)
    return queue


@pytest.fixture
def legacy_file(tmp_path: Path) -> Path:
    return legacy.create(tmp_path / "pinball_bot.db")


async def test_a_legacy_database_is_upgraded_and_what_happened_is_logged(legacy_file: Path) -> None:
    with capture_logs() as events:
        await bring_to_head(f"sqlite:///{legacy_file}")
    assert revision(f"sqlite:///{legacy_file}") == head()
    upgraded = next(event for event in events if event["event"] == "database_upgraded")
    assert (upgraded["before"], upgraded["after"], upgraded["log_level"]) == (LEGACY_REVISION, head(), "info")
    steps = {event["step"] for event in events if event["event"] == "database_step"}
    assert {"copy", "upgrade", "verify"} <= steps


async def test_a_new_database_is_made(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    await bring_to_head(url)
    assert revision(url) == head()


async def test_a_database_that_cannot_be_upgraded_ends_the_start_with_its_sentence(legacy_file: Path) -> None:
    write(legacy_file, "ALTER TABLE channel_configs ADD COLUMN theirs TEXT")
    with pytest.raises(DatabaseError, match="not those the original bot had in production"):
        await bring_to_head(f"sqlite:///{legacy_file}")


async def test_a_process_that_dies_is_an_error_and_the_next_start_continues(
    legacy_file: Path, started: asyncio.Queue[Process]
) -> None:
    with closing(sqlite3.connect(legacy_file, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        upgrading = asyncio.create_task(bring_to_head(f"sqlite:///{legacy_file}"))
        (await started.get()).kill()
        with pytest.raises(DatabaseError, match="ended with code -9"):
            await upgrading
    await bring_to_head(f"sqlite:///{legacy_file}")
    assert revision(f"sqlite:///{legacy_file}") == head()


async def test_a_stop_ends_the_process_before_the_database_is_let_go(
    legacy_file: Path, started: asyncio.Queue[Process]
) -> None:
    with closing(sqlite3.connect(legacy_file, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with in_use(legacy_file):
            upgrading = asyncio.create_task(bring_to_head(f"sqlite:///{legacy_file}"))
            process = await started.get()
            upgrading.cancel()
            with suppress(asyncio.CancelledError):
                await upgrading
            assert process.returncode == -signal.SIGKILL
    assert revision(f"sqlite:///{legacy_file}") is None


def test_the_process_ends_with_the_bot(legacy_file: Path) -> None:
    with closing(sqlite3.connect(legacy_file, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        order = f'{{"url": "sqlite:///{legacy_file}", "checked": false}}\n'
        ended = subprocess.run(
            [sys.executable, "-m", child.__name__], input=order, text=True, check=False, timeout=PATIENCE
        )
    assert ended.returncode == 1


def test_a_bot_whose_database_is_at_head_never_loads_alembic(database_file: Path) -> None:
    subprocess.run([sys.executable, "-c", IMPORTED, f"sqlite:///{database_file}"], check=True)
