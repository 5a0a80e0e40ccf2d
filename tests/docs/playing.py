"""An operator with a folder of their own, who types a page's commands as written, runs the bot and looks into files."""

import asyncio
import os
import shutil
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from dispinmap.backup.models import Format, Replica, StorageKind
from dispinmap_sandbox.services import EmbeddedServices
from tests.backup.conftest import BINARIES, StoragePlace
from tests.backup.container import Container
from tests.docs.pages import ROOT
from tests.fakes.fast_clock import FastClock
from tests.fakes.object_stores import create_gcs_bucket
from tests.migrations.legacy import rows

PROGRAMS = Path(sys.executable).parent
STAND_INS = Path(__file__).parent
UNWANTED = ("LITESTREAM_", "SQLALCHEMY_URL", "DATABASE_PATH", "DISCORD_", "STORAGE_EMULATOR_HOST", "AWS_", "PORT")
PATIENCE = 60


@dataclass
class Operator:
    """`settings` are environment variables, as both the commands and the bot have them."""

    folder: Path
    dispinmap: str
    """The text of the program that the commands find as `dispinmap`."""
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        for name in ("litestream.yml", "litestream-0.5.yml", "alembic.ini"):
            shutil.copy(ROOT / name, self.folder)
        shutil.copytree(ROOT / "scripts", self.folder / "scripts", dirs_exist_ok=True)
        (self.folder / "bin").mkdir(exist_ok=True)
        _program(self.folder / "bin" / "dispinmap", self.dispinmap)
        _stand_in(self.folder / "bin" / "gsutil", "gsutil.py")
        for program, name in (("sqlite3", "sqlite_shell.py"), ("lz4", "lz4_program.py")):
            if shutil.which(program) is None:
                _stand_in(self.folder / "bin" / program, name)

    @property
    def database(self) -> Path:
        return self.folder / "pinball_bot.db"

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(UNWANTED)}
        path = os.pathsep.join((str(self.folder / "bin"), str(PROGRAMS), inherited.get("PATH", "")))
        return {**inherited, **self.settings, "PATH": path, "COLUMNS": "200"}

    def replicates_to_a_folder(self) -> None:
        (self.folder / "backup").mkdir(exist_ok=True)
        self.settings["LITESTREAM_REPLICA_URL"] = str(self.folder / "backup" / "db")

    def moves_the_backup(self, gcs: str, bucket: str) -> None:
        """To a new bucket, in the order in which the objects were stored, and sets that bucket in the settings."""
        create_gcs_bucket(gcs, bucket)
        backup = self.folder / "backup"
        stored = [path for path in backup.rglob("*") if path.is_file()]
        for path in sorted(stored, key=lambda path: path.stat().st_mtime_ns):
            put_gcs_object(gcs, bucket, str(path.relative_to(backup)), path.read_bytes())
        shutil.rmtree(backup)
        self.settings |= {"LITESTREAM_BUCKET": bucket, "STORAGE_EMULATOR_HOST": gcs}
        del self.settings["LITESTREAM_REPLICA_URL"]

    def uses(self, version: Format) -> None:
        """Installs this Litestream instead of the present one."""
        self.settings["LITESTREAM_BIN"] = str(BINARIES[version])

    async def types(self, commands: str, code: int = 0) -> str:
        """What the commands print; they must end with that code."""
        process = await asyncio.create_subprocess_exec(
            *("bash", "-euo", "pipefail", "-c", commands),
            cwd=self.folder,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
        said = printed.decode()
        assert process.returncode == code, said
        assert "Traceback" not in said
        return said

    def bot(self, services: EmbeddedServices) -> Container:
        """The bot on this folder, with these settings, in the machine's own time."""
        nowhere = StoragePlace(Replica(StorageKind.FILE, "/"), "")
        binary = BINARIES[Format.V0_3]
        return Container(services, FastClock(time.time(), 1.0), self.folder, nowhere, binary, **self.settings)

    def targets(self, name: str = "pinball_bot.db") -> list[str]:
        """The names of the targets in the database of that name."""
        return rows(self.folder / name, "SELECT target_name FROM monitoring_targets ORDER BY id")

    def lose_the_disk(self) -> None:
        for path in self.folder.glob("*pinball_bot.db*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def put_gcs_object(gcs: str, bucket: str, name: str, data: bytes) -> None:
    parameters = urlencode({"uploadType": "media", "name": name})
    url = f"{gcs}/upload/storage/v1/b/{bucket}/o?{parameters}"
    urllib.request.urlopen(urllib.request.Request(url, data)).close()  # noqa: S310 -- our own server on loopback


def _stand_in(path: Path, name: str) -> None:
    _program(path, f'#!/bin/sh\nexec {sys.executable} {STAND_INS / name} "$@"\n')


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
