"""Each failure between Litestream and the storage has its own error and sentence."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap.backup.errors import BackupError, NoBackup, RestoreFailed, StorageRefused, StorageUnreachable
from dispinmap.backup.litestream.dialect import parse
from dispinmap.backup.litestream.failures import failure
from dispinmap.backup.litestream.litestream import Litestream
from dispinmap.backup.models import Configuration, Format, Replica, StorageKind
from dispinmap.secret import Secret
from tests.backup.conftest import storage_place
from tests.backup.writing import configuration, names, rows

NOWHERE = "http://127.0.0.1:1"
SETTINGS = Configuration(
    Format.V0_3,
    Path("bot.db"),
    Replica(StorageKind.S3, "db", "bucket", access_key_id="AKID", secret_access_key=Secret("hush-hush")),
    {},
)


@pytest.mark.parametrize("kind", [StorageKind.GCS, StorageKind.S3])
async def test_a_bucket_that_is_not_there_is_refused(
    litestream: Litestream, kind: StorageKind, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    replica = replace(storage_place(kind, request, tmp_path).replica, bucket="not-there")
    settings = configuration(replica, litestream.format, tmp_path / "source.db")
    with pytest.raises(StorageRefused, match="check that the bucket exists"):
        await litestream.restore(settings, tmp_path / "copy.db")
    with pytest.raises(StorageRefused, match="check that the bucket exists"):
        await litestream.points(settings)
    assert names(tmp_path) == []


@pytest.mark.parametrize("kind", [StorageKind.GCS, StorageKind.S3])
async def test_storage_that_does_not_answer_is_unreachable_within_the_time(
    litestream: Litestream,
    kind: StorageKind,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replica = storage_place(kind, request, tmp_path).replica
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", NOWHERE)
    settings = configuration(
        replace(replica, endpoint=NOWHERE) if kind is StorageKind.S3 else replica,
        litestream.format,
        tmp_path / "source.db",
    )
    with pytest.raises(StorageUnreachable):
        await litestream.restore(settings, tmp_path / "copy.db", seconds=1)
    with pytest.raises(StorageUnreachable):
        await litestream.points(settings, seconds=1)
    assert names(tmp_path) == []


def stored(replica: Replica) -> list[Path]:
    return [file for file in Path(replica.path).rglob("*") if file.is_file()]


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:50])


@pytest.mark.parametrize("damage", [flip, cut])
async def test_a_damaged_backup_fails_and_leaves_nothing(
    litestream: Litestream, damage: Callable[[Path], None], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    place = storage_place(StorageKind.FILE, request, tmp_path)
    settings = configuration(place.replica, litestream.format, tmp_path / "source.db")
    with rows(tmp_path / "source.db") as table:
        table.write(5)
        await litestream.replicate_once(settings)
    for file in stored(place.replica):
        damage(file)
    with pytest.raises(RestoreFailed, match="could not use what is in"):
        await litestream.restore(settings, tmp_path / "copy.db")
    assert names(tmp_path, "copy") == []


async def test_there_has_to_be_a_folder_to_restore_to(
    litestream: Litestream, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    place = storage_place(StorageKind.FILE, request, tmp_path)
    settings = configuration(place.replica, litestream.format, tmp_path / "source.db")
    with pytest.raises(RestoreFailed, match="is not a folder"):
        await litestream.restore(settings, tmp_path / "missing" / "copy.db")


# What the binaries say in cases that a loopback server cannot produce.
@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (
            'level=ERROR msg="failed to run" error="cannot fetch generations: AccessDenied: no\\n\\tstatus code: 403"',
            StorageRefused,
        ),
        ("Error: storage: googleapi: Error 403: bot@project does not have storage.objects.list access", StorageRefused),
        ("Error: open /replica/ltx: permission denied", StorageRefused),
        (
            '{"level":"ERROR","msg":"failed to run","error":"dial tcp: lookup storage: no such host"}',
            StorageUnreachable,
        ),
        ("Error: https response error StatusCode: 503, SlowDown", StorageUnreachable),
        ("Error: timestamp does not exist", NoBackup),
        (
            'level=ERROR msg="failed to run" error="cannot find snapshot index by timestamp: no snapshots available"',
            RestoreFailed,
        ),
        ("Error: write /data/copy.db.restoring.tmp: no space left on device", RestoreFailed),
        ("", RestoreFailed),
    ],
)
def test_its_words_tell_what_went_wrong(said: str, kind: type[BackupError]) -> None:
    assert type(failure(SETTINGS, said)) is kind


@given(st.text())
def test_any_error_becomes_one_line_with_the_replica_and_without_secrets(said: str) -> None:
    sentence = str(failure(SETTINGS, f"Error: {said} hush-hush {said}"))
    assert "s3://bucket/db" in sentence
    assert "hush-hush" not in sentence
    assert "\n" not in sentence


@given(st.text() | st.from_regex(r'\{"level": ?"[A-Z]+", ?"msg": ?.*\}'))
def test_any_line_of_its_log_can_be_read(text: str) -> None:
    line = parse(text)
    assert isinstance(line.level, str)
    assert isinstance(line.said, str)
