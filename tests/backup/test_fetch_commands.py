"""`dispinmap backup fetch` and `upgrade-format`, as an operator types them."""

import asyncio
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import lz4.frame
import pytest
from typer.testing import CliRunner, Result

from dispinmap.backup.models import Format, Replica, StorageKind
from dispinmap.cli.main import app
from dispinmap.database.revisions import LEGACY_REVISION
from tests.backup.conftest import BINARIES
from tests.backup.original import replicate_once
from tests.fakes.object_stores import create_gcs_bucket
from tests.migrations import legacy

Dispinmap = Callable[..., Result]
BUCKET = "dispinmap-bot-sqlite-backups"


@pytest.fixture
def dispinmap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Dispinmap:
    """Runs a command without a token, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("LITESTREAM_BUCKET", "LITESTREAM_CONFIG", "LITESTREAM_REPLICA_URL", "SQLALCHEMY_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("DISCORD_TOKEN", "LITESTREAM_PATH", "DATABASE_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("dispinmap.log.configure", lambda *_: None)
    return lambda *arguments, **options: CliRunner().invoke(app, [*arguments], **options)


@pytest.fixture(scope="session")
def production(gcs: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The original bot's bucket, as the guide has it; it is only read."""
    folder = tmp_path_factory.mktemp("production")
    create_gcs_bucket(gcs, BUCKET)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", gcs)
        replicate(Replica(StorageKind.GCS, "db", BUCKET), folder)
    return gcs


def replicate(replica: Replica, folder: Path) -> None:
    asyncio.run(replicate_once(replica, legacy.create(folder / "original.db")))


@pytest.fixture
def in_folder(tmp_path: Path) -> str:
    """The same in a folder."""
    replicate(Replica(StorageKind.FILE, str(tmp_path / "db")), tmp_path)
    return f"file://{tmp_path}/db"


@pytest.fixture
def bucket(production: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", production)
    return f"gcs://{BUCKET}/db"


def test_the_guides_method_1_without_gsutil_and_whole(dispinmap: Dispinmap, bucket: str, tmp_path: Path) -> None:
    result = dispinmap("backup", "fetch", "--from", bucket)
    assert result.exit_code == 0, result.output
    assert re.search(
        r"Fetched gcs://.* checked it: generation [0-9a-f]{16}, snapshot 0000000\d and \d+ log segments", result.output
    )
    assert f"It is at revision {LEGACY_REVISION}." in result.output
    assert f"monitoring_targets: {len(legacy.TARGETS)} rows" in result.output
    assert "channel_configs: 2 rows" in result.output
    assert "dispinmap db adopt production_backup.db" in result.output
    assert legacy.rows(tmp_path / "production_backup.db", "SELECT COUNT(*) FROM seen_submissions") == [3]


def test_what_was_fetched_can_be_adopted(dispinmap: Dispinmap, bucket: str) -> None:
    assert dispinmap("backup", "fetch", "--from", bucket, "--to", "theirs.db").exit_code == 0
    result = dispinmap("db", "adopt", "theirs.db", "--no-geocoding", "--into", "sqlite:///ours.db")
    assert result.exit_code == 0, result.output
    assert f"Targets: {len(legacy.TARGETS)}" in result.output


def test_the_configured_replica_is_meant_where_none_is_named(
    dispinmap: Dispinmap, bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert bucket
    monkeypatch.setenv("LITESTREAM_BUCKET", BUCKET)
    result = dispinmap("backup", "fetch", "--json")
    facts = json.loads(result.stdout)
    assert (facts["replica"], facts["rows"]["channel_configs"], facts["warnings"]) == (bucket, 2, [])
    assert (tmp_path / facts["file"]).is_file()


def test_a_snapshot_alone_warns_and_shows_the_guides_commands(
    dispinmap: Dispinmap, bucket: str, tmp_path: Path
) -> None:
    result = dispinmap("backup", "fetch", "--from", bucket, "--snapshot-only")
    assert result.exit_code == 0, result.output
    assert "Warning: This is the snapshot alone" in result.output
    address = rf"gs://{BUCKET}/db/generations/[0-9a-f]{{16}}/snapshots/[0-9a-f]{{8}}\.snapshot\.lz4"
    assert re.search(rf"gsutil cp {address} production_snapshot\.lz4\n +lz4 -d production_snapshot\.lz4", result.output)
    assert (tmp_path / "production_backup.db").is_file()


def test_the_commands_by_hand_work_for_a_folder(dispinmap: Dispinmap, in_folder: str, tmp_path: Path) -> None:
    result = dispinmap("backup", "fetch", "--from", in_folder, "--to", "x.db", "--snapshot-only")
    copied = re.search(r"^ +cp (\S+) production_snapshot\.lz4$", result.output, re.MULTILINE)
    assert copied is not None, result.output
    shutil.copy(copied[1], tmp_path / "production_snapshot.lz4")
    by_hand = lz4.frame.decompress((tmp_path / "production_snapshot.lz4").read_bytes())
    assert by_hand == (tmp_path / "x.db").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "Nothing says which backup to fetch: name it, such as --from gs://bucket/db"),
        (("--from", "gcs://nowhere-at-all/db"), "nowhere-at-all"),
        (("--from", f"gcs://{BUCKET}/elsewhere"), "holds no replica of Litestream 0.3: check the address"),
        (("--from", f"gcs://{BUCKET}/db", "--generation", "abc"), "has no generation abc"),
        (("--from", f"gcs://{BUCKET}/db", "--at", "2020-01-01 12:00"), "holds nothing from that time: it begins at"),
        (("--from", f"gcs://{BUCKET}/db", "--at", "noon"), "is not a time"),
        (("--from", "ftp://x/y"), "--from"),
    ],
)
def test_what_cannot_be_fetched_has_its_sentence(
    dispinmap: Dispinmap, bucket: str, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    assert bucket
    result = dispinmap("backup", "fetch", *arguments)
    assert result.exit_code != 0
    assert sentence in result.output + str(result.exception)
    assert not (tmp_path / "production_backup.db").exists()


def test_the_way_to_0_5_asks_and_then_says_what_to_set(
    dispinmap: Dispinmap, in_folder: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LITESTREAM_BIN", str(BINARIES[Format.V0_5]))
    monkeypatch.setenv("LITESTREAM_REPLICA_URL", in_folder)
    refused = dispinmap("backup", "upgrade-format", input="n\n")
    assert (refused.exit_code, (tmp_path / "db-v5").exists()) == (1, False)
    assert f"This copies {in_folder} to {in_folder}-v5." in refused.output
    assert "Nothing was changed." in refused.output
    done = dispinmap("backup", "upgrade-format", "--yes")
    assert done.exit_code == 0, done.output + str(done.exception)
    assert "Done and proven" in done.output
    assert f"set LITESTREAM_REPLICA_URL={in_folder}-v5 and start the bot" in done.output
