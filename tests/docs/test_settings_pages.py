"""docs/settings.md and .env.example say what the code does."""

import re
from dataclasses import MISSING, fields

import pytest
from dotenv import dotenv_values

from dispinmap.errors import SettingsError
from dispinmap.secret import Secret
from dispinmap.settings import Settings
from tests.docs.pages import ROOT, blocks, read, rows

NAMES = {each.name.upper() for each in fields(Settings)}
EXAMPLE = ROOT / ".env.example"
MALFORMED = {
    "DISCORD_API_BASE": "discord.com",
    "PINBALLMAP_API_TOKEN": "two words",
    "PINBALLMAP_API_BASE": "pinballmap.com",
    "GEOCODING_API_BASE": "ftp://example.org",
    "SQLALCHEMY_URL": "pinball_bot.db",
    "PORT": "99999",
    "LOG_LEVEL": "loud",
    "LOG_FORMAT": "xml",
    "FEED_MIN_INTERVAL_SECONDS": "0",
    "SETTLE_WINDOW_SECONDS": "-1",
    "COMMAND_PREFIX": "a b",
    "MANAGE_CHANNELS_REQUIRED": "maybe",
    "MESSAGE_RETENTION_DAYS": "30",
    "SUBMISSION_RETENTION_DAYS": "for ever",
    "RESTORE_TIMEOUT_SECONDS": "0",
    "LEASE_SECONDS": "1",
    "BACKUP_DRILL_HOURS": "never",
    "OPERATOR_WEBHOOK_URL": "discord.com",
    "OPERATOR_CHANNEL_ID": "#ops",
}
FREE_TEXT = {
    *("LITESTREAM_PATH", "DATABASE_PATH"),
    *("LITESTREAM_BUCKET", "LITESTREAM_REPLICA_URL", "LITESTREAM_CONFIG", "LITESTREAM_BIN"),
}


def _default(name: str) -> str:
    """As the page writes it."""
    field = next(each for each in fields(Settings) if each.name == name.lower())
    if field.default is MISSING:
        return "required"
    if field.default in ("", None):
        return "empty" if field.default == "" else "none"
    return f"`{_text(field.default)}`"


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _documented() -> dict[str, list[str]]:
    named = (cells for cells in rows(read("docs/settings.md")) if re.fullmatch(r"`[A-Z_]+`", cells[0]))
    return {cells[0].strip("`"): cells[1:] for cells in named}


def test_every_setting_is_documented_and_no_other() -> None:
    assert set(_documented()) == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_settings_default_and_example_are_true(name: str) -> None:
    default, meaning, example = _documented()[name]
    assert default == _default(name)
    assert meaning
    if example:
        given = {"discord_token": "made.up", name.lower(): example.strip("`")}
        assert _text(getattr(Settings.of(given), name.lower())) != _default(name).strip("`")


def test_what_a_malformed_value_prints_is_what_the_page_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {"DISCORD_TOKEN", *MALFORMED} == NAMES - FREE_TEXT
    shown = next(block for block in blocks(read("docs/settings.md")) if "is malformed" in block).splitlines()
    assert _refusal(monkeypatch, {}) == shown[:1]
    assert set(_refusal(monkeypatch, {"DISCORD_TOKEN": "two words", **MALFORMED})) == set(shown[1:])


def _refusal(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> list[str]:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("dispinmap.settings.DOTENV", "no-such-file")
    with pytest.raises(SettingsError) as refused:
        Settings.load()
    return str(refused.value).splitlines()


def test_the_example_file_names_every_setting_once() -> None:
    lines = re.findall(r"^(?:# )?([A-Z_]+)=", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(lines) == sorted(NAMES)


def test_the_example_file_sets_nothing_but_asks_for_both_tokens() -> None:
    assert dotenv_values(EXAMPLE) == {"DISCORD_TOKEN": "", "PINBALLMAP_API_TOKEN": ""}


def test_what_the_example_file_shows_are_the_defaults() -> None:
    shown = dict(re.findall(r"^# ([A-Z_]+)=(.+)$", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE))
    path = shown.pop("DATABASE_PATH")
    assert Settings(discord_token=Secret("made.up")).database_url == f"sqlite:///{path}"
    assert {name: f"`{value}`" for name, value in shown.items()} == {name: _default(name) for name in shown}
