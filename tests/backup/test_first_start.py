"""The new bot's first start on the original bot's bucket, with the original's settings."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dispinmap import start
from dispinmap.backup.errors import BackupError
from dispinmap.backup.inspection import inspect_file
from dispinmap.backup.litestream03.upgrade_format import upgrade_format
from dispinmap.backup.models import Format, Replica, StorageKind
from dispinmap.backup.place import open_place
from dispinmap.cli.main import app
from dispinmap.clock import SystemClock
from dispinmap.database.revisions import head
from dispinmap.secret import Secret
from dispinmap.settings import Settings
from tests.backup.conftest import BINARIES
from tests.backup.original import replicate_once
from tests.fakes.object_stores import create_gcs_bucket, gcs_server
from tests.migrations import legacy, shapes

BUCKET = "dispinmap-bot-sqlite-backups"
MERGED = 2
"""Of the original's targets, into others: they were duplicates."""
Original = Callable[[Callable[[Path], Path]], None]


class Bot:
    """The settings of the guide, on a disk without a database and with blanks in its name."""

    def __init__(self, disk: Path) -> None:
        self.database = disk / "pinball bot.db"
        disk.mkdir()

    def prepare(self, version: Format) -> None:
        """All of a start before Litestream and the bot itself."""
        asyncio.run(self._prepare(self._settings(version)))

    async def _prepare(self, settings: Settings) -> None:
        clock = SystemClock()
        place = await open_place(settings, clock)
        previous = await place.lease.try_acquire()
        try:
            await start.Preparation(settings, clock, place, allow_empty=False, show=lambda _: None).run(previous)
        finally:
            await place.lease.release()

    async def replicate_and_restore(self, target: Path) -> None:
        place = await open_place(self._settings(Format.V0_3), SystemClock())
        await place.litestream.replicate_once(place.configuration)
        await place.litestream.restore(place.configuration, target)

    async def upgrade_format(self) -> None:
        await upgrade_format(await open_place(self._settings(Format.V0_5), SystemClock()))

    def _settings(self, version: Format) -> Settings:
        return Settings(
            discord_token=Secret("token"),
            sqlalchemy_url=Secret(f"sqlite:///{self.database}"),
            litestream_bucket=BUCKET,
            litestream_bin=BINARIES[version],
        )

    def targets(self) -> int:
        assert inspect_file(self.database).revision == head()
        with closing(sqlite3.connect(self.database)) as connection:
            return int(connection.execute("SELECT count(*) FROM monitoring_targets").fetchone()[0])


@pytest.fixture
def bot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bot:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dispinmap.log.configure", lambda *_: None)
    return Bot(tmp_path / "disk")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Original]:
    """The original bot's, on a server of its own: what `make` makes was replicated there, without a lease."""
    with gcs_server() as address:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        create_gcs_bucket(address, BUCKET)
        replica = Replica(StorageKind.GCS, "db", BUCKET)
        yield lambda make: asyncio.run(replicate_once(replica, make(tmp_path / "original.db")))


def test_with_0_3_the_originals_database_is_restored_upgraded_and_replicated(
    bot: Bot, bucket: Original, tmp_path: Path
) -> None:
    bucket(legacy.create)
    bot.prepare(Format.V0_3)
    assert bot.targets() == len(legacy.TARGETS) - MERGED
    asyncio.run(bot.replicate_and_restore(tmp_path / "restored.db"))
    assert inspect_file(tmp_path / "restored.db").revision == head()


def test_with_0_5_it_is_refused_with_a_cure_that_works(bot: Bot, bucket: Original) -> None:
    bucket(legacy.create)
    with pytest.raises(BackupError, match="run `dispinmap backup upgrade-format` to take it along"):
        bot.prepare(Format.V0_5)
    assert not bot.database.exists()
    asyncio.run(bot.upgrade_format())
    bot.prepare(Format.V0_5)
    assert bot.targets() == len(legacy.TARGETS) - MERGED


def test_the_originals_redesign_is_refused_with_a_cure_that_works(
    bot: Bot, bucket: Original, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket(shapes.redesign)
    with pytest.raises(BackupError, match=r"`dispinmap backup fetch` downloads .* `dispinmap db adopt FILE` makes"):
        bot.prepare(Format.V0_3)
    assert not bot.database.exists()
    monkeypatch.setenv("LITESTREAM_BUCKET", BUCKET)
    monkeypatch.setenv("LITESTREAM_PATH", str(bot.database))
    for command in (("backup", "fetch", "--to", "theirs.db"), ("db", "adopt", "theirs.db", "--no-geocoding")):
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.output
    bot.prepare(Format.V0_3)
    assert bot.targets() > 0
