"""`dispinmap backup config`, as an operator types it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from dispinmap.cli.main import app
from dispinmap.errors import SettingsError
from tests.backup.conftest import PROJECT

Config = Callable[..., Result]


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Config:
    """Runs `dispinmap backup config …` without a token, in an empty folder, with Litestream 0.3 installed."""
    monkeypatch.chdir(tmp_path)
    for name in ("DISCORD_TOKEN", "SQLALCHEMY_URL", "LITESTREAM_PATH", "DATABASE_PATH", "LITESTREAM_BIN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("LITESTREAM_BUCKET", "LITESTREAM_REPLICA_URL", "LITESTREAM_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("dispinmap.log.configure", lambda *_: None)
    return lambda *arguments: CliRunner().invoke(app, ["backup", "config", *map(str, arguments)])


def test_it_shows_what_litestream_gets_for_the_installed_version(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LITESTREAM_BUCKET", "b-1")
    shown = config().stdout
    assert shown.startswith("# From LITESTREAM_BUCKET, for Litestream 0.3.\n")
    times = {"sync-interval": "1s", "retention": "72h", "snapshot-interval": "6h"}
    replica = {"type": "gcs", "bucket": "b-1", "path": "db", **times}
    assert yaml.safe_load(shown) == {"dbs": [{"path": str(Path("pinball_bot.db").absolute()), "replicas": [replica]}]}
    (database,) = json.loads(config("--for", "0.5", "--json").stdout)["dbs"]
    assert database["replica"]["path"] == "db-v5"


def test_it_shows_no_credentials(config: Config, tmp_path: Path) -> None:
    file = tmp_path / "mine.yml"
    replica = "{type: s3, bucket: b-1, path: db, access-key-id: me-1, secret-access-key: hunter2}"
    file.write_text(f"dbs: [{{path: $LITESTREAM_PATH, replicas: [{replica}]}}]")
    shown = config(file).stdout
    assert "b-1" in shown
    assert "me-1" not in shown
    assert "hunter2" not in shown


def test_a_check_shows_each_finding_with_its_cure_and_fails(config: Config) -> None:
    result = config(PROJECT / "litestream.yml", "--check", "--for", "0.5")
    assert result.exit_code == 1
    for words in ("dbs[0].replicas[0].retention", "Write `snapshot:`", "Write “gs” instead.", "$LITESTREAM_BUCKET"):
        assert words in result.stdout
    findings = json.loads(config(PROJECT / "litestream.yml", "--check", "--for", "0.5", "--json").stdout)
    assert {each["severity"] for each in findings} == {"error"}


def test_a_check_without_errors_says_so(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITESTREAM_BUCKET", "b-1")
    result = config(PROJECT / "litestream-0.5.yml", "--check", "--for", "0.5")
    assert result.exit_code == 0
    assert "✓ Litestream 0.5 does what the configuration says." in result.stdout


def test_a_check_looks_whether_the_storage_holds_the_other_versions_backup(
    config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LITESTREAM_REPLICA_URL", str(tmp_path / "db"))
    assert config("--check").exit_code == 0
    changes = tmp_path / "db" / "ltx" / "0" / "0000000000000001-0000000000000001.ltx"
    changes.parent.mkdir(parents=True)
    changes.touch()
    result = config("--check", "--json")
    assert result.exit_code == 1
    (found,) = json.loads(result.stdout)
    assert "holds a backup that Litestream 0.5 wrote" in found["sentence"]


def test_without_any_setting_it_says_which_to_set(config: Config) -> None:
    for arguments in ([], ["--check"]):
        result = config(*arguments)
        assert isinstance(result.exception, SettingsError)
        assert "set LITESTREAM_BUCKET" in str(result.exception)
