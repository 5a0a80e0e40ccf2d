"""The operator's settings, and the errors if they are wrong."""

import os
from dataclasses import fields
from pathlib import Path

import pytest

from dispinmap.errors import SettingsError
from dispinmap.settings import BackupSettings, Settings

DESIGNED = {
    "DISCORD_TOKEN", "DISCORD_API_BASE", "PINBALLMAP_API_TOKEN", "PINBALLMAP_API_BASE", "GEOCODING_API_BASE",
    "SQLALCHEMY_URL", "LITESTREAM_PATH", "DATABASE_PATH", "LITESTREAM_BUCKET", "LITESTREAM_REPLICA_URL", "PORT",
    "LOG_LEVEL", "LOG_FORMAT", "FEED_MIN_INTERVAL_SECONDS", "SETTLE_WINDOW_SECONDS", "COMMAND_PREFIX",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in (each.name for each in fields(Settings)):
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DISCORD_TOKEN", "discord-secret")
    monkeypatch.chdir(tmp_path_factory.mktemp("nowhere"))


def test_every_variable_of_the_design_is_a_setting() -> None:
    assert {each.name.upper() for each in fields(Settings)} >= DESIGNED


def test_only_the_discord_token_is_needed_and_blank_variables_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINBALLMAP_API_TOKEN", "")
    monkeypatch.setenv("PORT", "")
    settings = Settings.load()
    assert settings.pinballmap_api_token is None
    assert (settings.port, settings.database_url) == (8080, "sqlite:///pinball_bot.db")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DISCORD_TOKEN", "two words"),
        ("DISCORD_TOKEN", "   "),
        ("DISCORD_API_BASE", "discord.com"),
        ("PINBALLMAP_API_TOKEN", "two words"),
        ("PINBALLMAP_API_BASE", "ftp://pinballmap.com"),
        ("GEOCODING_API_BASE", "http://[half"),
        ("SQLALCHEMY_URL", "nonsense"),
        ("SQLALCHEMY_URL", "postgresql://bot:hunter2@host/db"),
        ("PORT", "eighty"),
        ("PORT", "65536"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
        ("FEED_MIN_INTERVAL_SECONDS", "0"),
        ("FEED_MIN_INTERVAL_SECONDS", "nan"),
        ("SETTLE_WINDOW_SECONDS", "-1"),
        ("SETTLE_WINDOW_SECONDS", "inf"),
        ("COMMAND_PREFIX", "a b"),
        ("COMMAND_PREFIX", "toolong"),
        ("MANAGE_CHANNELS_REQUIRED", "perhaps"),
    ],
)
def test_a_malformed_value_is_one_line_that_names_the_variable_and_the_cure(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as raised:
        Settings.load()
    line = str(raised.value)
    assert line.startswith(f"{name} is malformed: ")
    assert line.endswith(".")
    assert "\n" not in line
    assert "hunter2" not in line


def test_a_missing_token_says_where_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISCORD_TOKEN")
    with pytest.raises(SettingsError, match=r"^DISCORD_TOKEN is not set: .*developers"):
        Settings.load()


def test_no_secret_is_shown_and_each_is_masked_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINBALLMAP_API_TOKEN", "map-secret")
    settings = Settings.load()
    for secret in ("discord-secret", "map-secret"):
        assert secret not in f"{settings!r} {settings}"
    assert settings.secrets == ("discord-secret", "map-secret")


def test_credentials_in_the_file_are_copied_to_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "AWS_ACCESS_KEY_ID": "key",
        "GOOGLE_APPLICATION_CREDENTIALS": "key.json",
        "AWS_REGION": "eu-1",
        "OTHER": "x",
    }
    Path(".env").write_text("".join(f"{name}={value}\n" for name, value in given.items()))
    monkeypatch.setattr(os, "environ", {"AWS_REGION": "eu-2", "AWS_ACCESS_KEY_ID": ""})
    BackupSettings.load()
    assert {name: os.environ.get(name) for name in given} == {**given, "AWS_REGION": "eu-2", "OTHER": None}


@pytest.mark.parametrize(("name", "value"), [("LOG_LEVEL", "debug"), ("LOG_FORMAT", "JSON")])
def test_case_does_not_matter(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert getattr(Settings.load(), name.lower()).lower() == value.lower()
