"""From the settings to the configuration that Litestream gets."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap.backup.configuration.effective import configure, make_configuration
from dispinmap.backup.configuration.locations import parse_replica_url, read_replica
from dispinmap.backup.models import Configuration, Format, Replica, StorageKind
from dispinmap.backup.versions import DIALECTS
from dispinmap.errors import SettingsError
from dispinmap.secret import Secret

PROJECT = Path(__file__).parents[2]
GUIDE = PROJECT.parent / "shared" / "seed" / "database-architecture-guide.md"
FILES = {Format.V0_3: PROJECT / "litestream.yml", Format.V0_5: PROJECT / "litestream-0.5.yml"}
DATABASE = Path("/data/bot.db")
GCS, S3, FILE = StorageKind.GCS, StorageKind.S3, StorageKind.FILE


def configured(
    version: Format,
    *,
    bucket: str | None = None,
    url: str | None = None,
    file: Path | None = None,
    environ: dict[str, str] | None = None,
) -> Configuration | None:
    return configure(version, database=DATABASE, bucket=bucket, replica_url=url, file=file, environ=environ or {})


def needed(configuration: Configuration | None) -> Configuration:
    assert configuration is not None
    return configuration


def test_the_file_for_0_3_is_the_guides_to_the_letter() -> None:
    if not GUIDE.is_file():
        pytest.skip("the guide is not beside this checkout")
    found = re.search(r"`litestream.yml` in project root:\n\n```yaml\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert found
    assert FILES[Format.V0_3].read_text() == found[1]


@pytest.mark.parametrize("version", list(Format))
def test_a_bucket_means_what_the_projects_own_file_says(version: Format) -> None:
    """Without LITESTREAM_PATH the bot's path is used."""
    by_setting = needed(configured(version, bucket="b-1"))
    by_file = needed(configured(version, file=FILES[version], environ={"LITESTREAM_BUCKET": "b-1"}))
    assert by_setting.document == by_file.document
    assert by_setting.replica == by_file.replica == Replica(GCS, "db" if version is Format.V0_3 else "db-v5", "b-1")
    assert (by_setting.source, by_file.source) == ("LITESTREAM_BUCKET", str(FILES[version]))


def test_the_time_between_snapshots_is_the_files_where_it_has_one(tmp_path: Path) -> None:
    file = tmp_path / "litestream.yml"
    file.write_text(FILES[Format.V0_3].read_text() + "        snapshot-interval: 24h\n")
    document = needed(configured(Format.V0_3, file=file, environ={"LITESTREAM_BUCKET": "b-1"})).document
    assert "'snapshot-interval': '24h'" in str(document)


@pytest.mark.parametrize("version", list(Format))
def test_a_file_that_names_a_link_to_the_database_means_the_database(tmp_path: Path, version: Format) -> None:
    """Litestream looks for the log beside the given name, but SQLite keeps it beside the file."""
    (tmp_path / "link.db").symlink_to(tmp_path / "bot.db")
    found = configure(
        version,
        database=tmp_path / "bot.db",
        bucket="b-1",
        replica_url=None,
        file=FILES[version],
        environ={"LITESTREAM_PATH": str(tmp_path / "link.db")},
    )
    assert (
        needed(found).document == make_configuration(version, tmp_path / "bot.db", needed(found).replica, "").document
    )


def test_a_file_wins_over_an_address_which_wins_over_a_bucket() -> None:
    version = Format.V0_3
    assert configured(version) is None
    assert needed(configured(version, bucket="b-1", url="/a")).source == "LITESTREAM_REPLICA_URL"
    assert needed(configured(version, bucket="b-1", url="/a", file=FILES[version])).source == str(FILES[version])


@pytest.mark.parametrize(
    ("url", "replica"),
    [
        ("gcs://b-1/db", Replica(GCS, "db", "b-1")),
        ("gs://b-1/a/b/", Replica(GCS, "a/b", "b-1")),
        ("s3://b-1/db", Replica(S3, "db", "b-1")),
        (
            "s3://b-1/db?endpoint=http://127.0.0.1:9&region=eu&forcePathStyle=true",
            Replica(S3, "db", "b-1", "http://127.0.0.1:9", "eu", force_path_style=True),
        ),
        ("s3://b-1/db?endpoint=https://h", Replica(S3, "db", "b-1", "https://h", force_path_style=True)),
        ("s3://b-1/db?endpoint=https://h&forcePathStyle=false", Replica(S3, "db", "b-1", "https://h")),
        ("file:///data/replica/", Replica(FILE, "/data/replica")),
        ("file:///a%20b", Replica(FILE, "/a b")),
        ("/data//replica", Replica(FILE, "/data/replica")),
    ],
)
def test_an_address_means_the_same_to_both_versions(url: str, replica: Replica) -> None:
    assert parse_replica_url(url) == replica
    for version in Format:
        found = needed(configured(version, url=url))
        assert found.replica == replica
        assert read_replica(found.document, DIALECTS[version]) == replica


def test_a_folder_by_another_name_is_the_same_replica_with_the_same_lease(tmp_path: Path) -> None:
    folder = tmp_path / "replica" / "db"
    folder.mkdir(parents=True)
    (tmp_path / "current").symlink_to(folder)
    (tmp_path / "unmounted").symlink_to(tmp_path / "volume" / "db")
    replica = parse_replica_url(f"{tmp_path}/current")
    assert replica == parse_replica_url(str(folder))
    assert replica.lease_path == f"{folder}.lease"
    assert parse_replica_url(f"file://{tmp_path}/unmounted").path == f"{tmp_path}/volume/db"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("db", "names no kind of storage"),
        ("backup/db", "not an absolute path"),
        ("abs://b-1/db", "not a kind of storage"),
        ("gcs://b-1", "path in the bucket is missing"),
        ("gcs://b-1//db", "plain path"),
        ("gcs://b-1/../db", "plain path"),
        ("gcs:///db", "bucket is missing"),
        ("gcs://b-1/db?region=r", "more after the path"),
        ("gcs://b-1/db#x", "more after the path"),
        ("s3://host:9000/db", "server"),
        ("s3://b-1.s3.eu-central-1.amazonaws.com/db", "server"),
        ("s3://b-1/db?regoin=r", "Did you mean region?"),
        ("s3://b-1/db?acl=x", "endpoint, region and forcePathStyle"),
        ("s3://b-1/db?forcePathStyle=1", "neither true nor false"),
        ("s3://b-1/db?endpoint=minio:9000", "Begin it with https://"),
        ("s3://me:hunter2@b-1/db", "credentials"),
        ("file://data", "two slashes"),
        ("file:///", "absolute path"),
        ("file:///a%00b", "absolute path"),
        ("/", "absolute path"),
        ("s3://[::1/db", "not a URL"),
    ],
)
def test_a_malformed_address_is_refused_with_what_to_write(url: str, words: str) -> None:
    with pytest.raises(SettingsError, match=f"LITESTREAM_REPLICA_URL is malformed.*{re.escape(words)}") as error:
        parse_replica_url(url)
    assert "hunter2" not in str(error.value)


@given(st.text(max_size=40))
def test_any_text_names_a_replica_or_is_refused(text: str) -> None:
    try:
        replica = parse_replica_url(text)
    except SettingsError:
        return
    assert replica.path
    assert (replica.bucket is None) == (replica.kind is FILE)


def test_a_bucket_that_is_an_address_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"LITESTREAM_BUCKET is malformed\. “gs://b-1” is not the name"):
        configured(Format.V0_3, bucket="gs://b-1")


def test_a_file_with_errors_is_refused_with_a_line_for_each(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yml"
    file.write_text("dbs:\n  - path: $LITESTREAM_PATH\n    replicas: [{type: gs, bucket: b-1, path: db, banana: 1}]\n")
    with pytest.raises(SettingsError) as error:
        configured(Format.V0_3, file=file)
    lines = str(error.value).splitlines()
    assert len(lines) == 2
    assert all(line.startswith(f"LITESTREAM_CONFIG, {file}: dbs[0].replicas[0].") for line in lines)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "file.yml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=f"{file} cannot be read"):
        configured(Format.V0_3, file=file)


def test_credentials_of_a_document_come_from_the_replica_or_from_the_top() -> None:
    database = {"path": "/data/bot.db", "replica": {"type": "s3", "bucket": "b-1", "path": "db", "access-key-id": "me"}}
    document = {"access-key-id": "other", "secret-access-key": "hunter2", "region": "eu", "dbs": [database]}
    expected = Replica(S3, "db", "b-1", region="eu", access_key_id="me", secret_access_key=Secret("hunter2"))
    assert read_replica(document, DIALECTS[Format.V0_5]) == expected
    assert (
        read_replica(make_configuration(Format.V0_5, DATABASE, expected, "a test").document, DIALECTS[Format.V0_5])
        == expected
    )


def test_settings_beside_an_address_count_too() -> None:
    replica = {"url": "s3://b-1/db", "endpoint": "https://h", "force-path-style": False}
    document = {"region": "eu", "dbs": [{"path": "/data/bot.db", "replica": replica}]}
    assert read_replica(document, DIALECTS[Format.V0_5]) == Replica(S3, "db", "b-1", "https://h", "eu")


def test_litestreams_names_for_credentials_work_without_amazons() -> None:
    own = {"LITESTREAM_ACCESS_KEY_ID": "me", "LITESTREAM_SECRET_ACCESS_KEY": "hunter2"}
    found = needed(configured(Format.V0_5, url="s3://b-1/db", environ=own))
    assert (found.replica.access_key_id, found.replica.secret_access_key) == ("me", Secret("hunter2"))
    assert "hunter2" not in str(found.document)
    both = {**own, "AWS_ACCESS_KEY_ID": "you", "AWS_SECRET_ACCESS_KEY": "xyz"}
    assert needed(configured(Format.V0_5, url="s3://b-1/db", environ=both)).replica.access_key_id is None
