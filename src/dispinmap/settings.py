"""The operator's settings: environment variables, and `.env` in development."""

import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal, Self
from urllib.parse import urlsplit

from dotenv import dotenv_values

from dispinmap.errors import SettingsError
from dispinmap.secret import Secret

DISCORD_API_BASE = "https://discord.com/api/v10"
PINBALLMAP_API_BASE = "https://pinballmap.com/api/v1"
GEOCODING_API_BASE = "https://geocoding-api.open-meteo.com/v1"
MIN_RETENTION_DAYS = 31
"""Longer than the bot can be down and still find its last submission in the feed."""
MAX_RETENTION_DAYS = 36500
DOTENV: Final = ".env"
CREDENTIALS: Final = ("AWS_", "GOOGLE_", "LITESTREAM_ACCESS_KEY_ID", "LITESTREAM_SECRET_ACCESS_KEY")
"""Prefixes of the variables that Litestream and the storages' own libraries read."""

_READ: Final = "read"
_CURE: Final = "cure"
"""Keys of a field's metadata: the function that reads its text, and what to do if it has no default and is not set."""

Read = Callable[[str], object]
"""Returns the value in a variable's text. Raises ValueError with what to write instead."""


def read_by(read: Read) -> Mapping[str, Read]:
    """The metadata of a field whose text is read by `read`. Without it, the text is the value."""
    return {_READ: read}


def base_url(text: str) -> str:
    """The address of a service, without a slash at the end."""
    instead = "write an address that starts with https:// (or http://)"
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError(instead) from None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError(instead)
    return text.rstrip("/")


def _token(text: str) -> Secret:
    text = text.strip()
    if not text:
        raise ValueError("it is empty: paste the token")
    if re.search(r"\s", text):
        raise ValueError("a token contains no spaces: paste only the token")
    return Secret(text)


def _webhook_url(text: str) -> Secret:
    # Secret, because anyone who has a webhook's address can write there.
    base_url(text)
    return Secret(text)


def _database_url(text: str) -> Secret:
    # Errors do not repeat the text, because the address of another kind of database contains a password.
    if not re.match(r"sqlite(\+pysqlite)?://", text):
        raise ValueError("write the address of a SQLite file, such as sqlite:////data/pinball_bot.db")
    return Secret(text)


def _whole(least: int, most: int, instead: str) -> Read:
    def read(text: str) -> int:
        if not re.fullmatch(r"\s*[+-]?[0-9]{1,20}\s*", text) or not least <= int(text) <= most:
            raise ValueError(instead)
        return int(text)

    return read


def _number(least: float, most: float, instead: str, *, above: bool = False) -> Read:
    """From `least` to `most`, without `least` itself if `above`."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most or (above and value == least):
            raise ValueError(instead)
        return value

    return read


def _one_of(*names: str, instead: str) -> Read:
    """One of the names, in any case."""

    def read(text: str) -> str:
        found = next((name for name in names if name.lower() == text.lower()), None)
        if found is None:
            raise ValueError(instead)
        return found

    return read


def _switch(text: str) -> bool:
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if text.lower() not in words:
        raise ValueError("write true or false")
    return words[text.lower()]


def _prefix(text: str) -> str:
    if not re.fullmatch(r"\S{0,5}", text):
        raise ValueError("write at most 5 characters without spaces, such as !, or leave it empty")
    return text


@dataclass(frozen=True, kw_only=True)
class DatabaseSettings:
    """Where the database is, for commands that need only that."""

    sqlalchemy_url: Secret | None = field(default=None, metadata=read_by(_database_url))
    litestream_path: str | None = None
    database_path: str | None = None

    @property
    def database_url(self) -> str:
        """SQLALCHEMY_URL, or the file named by LITESTREAM_PATH or DATABASE_PATH."""
        if self.sqlalchemy_url is not None:
            return self.sqlalchemy_url.get_secret_value()
        return f"sqlite:///{self.litestream_path or self.database_path or 'pinball_bot.db'}"

    @classmethod
    def load(cls) -> Self:
        """Read `.env` and the environment, which wins. Raises SettingsError with one line per variable at fault."""
        return cls.of({**dotenv_values(DOTENV), **{name: text for name, text in os.environ.items() if text}})

    @classmethod
    def of(cls, variables: Mapping[str, str | None]) -> Self:
        """Read `variables`, whose names are in any case. Empty ones count as not set. Raises SettingsError."""
        given = {name.lower(): text for name, text in variables.items() if text}
        values: dict[str, Any] = {}
        problems = []
        for each in fields(cls):
            name = each.name.upper()
            if each.name in given:
                try:
                    values[each.name] = each.metadata.get(_READ, str)(given[each.name])
                except ValueError as error:
                    problems.append(f"{name} is malformed: {error}.")
            elif each.default is MISSING:
                problems.append(f"{name} is not set: {each.metadata[_CURE]}.")
        if problems:
            raise SettingsError("\n".join(problems))
        return cls(**values)


@dataclass(frozen=True, kw_only=True)
class BackupSettings(DatabaseSettings):
    """Where the database is and where it is replicated to, for commands about the backup."""

    litestream_bucket: str | None = None
    litestream_replica_url: str | None = None
    litestream_config: Path | None = field(default=None, metadata=read_by(Path))
    litestream_bin: Path | None = field(default=None, metadata=read_by(Path))
    restore_timeout_seconds: float = field(
        default=120,
        metadata=read_by(_number(0, 3600, "write a number of seconds above 0 and up to 3600, such as 120", above=True)),
    )
    lease_seconds: float = field(
        default=60, metadata=read_by(_number(5, 600, "write a number of seconds from 5 to 600, such as 60"))
    )

    @classmethod
    def load(cls) -> Self:
        """Also copy `.env`'s credentials to the environment, where Litestream and storage clients look for them."""
        for name, value in dotenv_values(DOTENV).items():
            if value and name.startswith(CREDENTIALS) and not os.environ.get(name):
                os.environ[name] = value
        return super().load()


@dataclass(frozen=True, kw_only=True)
class Settings(BackupSettings):
    """Every setting, named like its environment variable in lower case. Tokens are masked when this is printed."""

    discord_token: Secret = field(
        metadata={
            **read_by(_token),
            _CURE: "create a bot at https://discord.com/developers/applications and set its token",
        }
    )
    discord_api_base: str = field(default=DISCORD_API_BASE, metadata=read_by(base_url))
    pinballmap_api_token: Secret | None = field(default=None, metadata=read_by(_token))
    pinballmap_api_base: str = field(default=PINBALLMAP_API_BASE, metadata=read_by(base_url))
    geocoding_api_base: str = field(default=GEOCODING_API_BASE, metadata=read_by(base_url))
    port: int = field(
        default=8080, metadata=read_by(_whole(0, 65535, "write a whole number from 0 to 65535, such as 8080"))
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = field(
        default="INFO",
        metadata=read_by(_one_of("DEBUG", "INFO", "WARNING", "ERROR", instead="write DEBUG, INFO, WARNING or ERROR")),
    )
    log_format: Literal["console", "json"] = field(
        default="console", metadata=read_by(_one_of("console", "json", instead="write console or json"))
    )
    feed_min_interval_seconds: float = field(
        default=60,
        metadata=read_by(_number(0, 900, "write a number of seconds above 0 and up to 900, such as 60", above=True)),
    )
    settle_window_seconds: float = field(
        default=300, metadata=read_by(_number(0, 86400, "write a number of seconds from 0 to 86400, such as 300"))
    )
    command_prefix: str = field(default="", metadata=read_by(_prefix))
    manage_channels_required: bool = field(default=True, metadata=read_by(_switch))
    message_retention_days: int = field(
        default=90,
        metadata=read_by(
            _whole(MIN_RETENTION_DAYS, MAX_RETENTION_DAYS, "write a whole number of days from 31 to 36500, such as 90")
        ),
    )
    submission_retention_days: int = field(
        default=400,
        metadata=read_by(
            _whole(MIN_RETENTION_DAYS, MAX_RETENTION_DAYS, "write a whole number of days from 31 to 36500, such as 400")
        ),
    )
    backup_drill_hours: float = field(
        default=24,
        metadata=read_by(_number(0, 720, "write a number of hours above 0 and up to 720, such as 24", above=True)),
    )
    operator_webhook_url: Secret | None = field(default=None, metadata=read_by(_webhook_url))
    operator_channel_id: int | None = field(
        default=None,
        metadata=read_by(_whole(1, 2**63 - 1, "write the number that Discord shows with Copy Channel ID")),
    )

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secret values in clear text, for masking them in the log."""
        tokens = (self.discord_token, self.pinballmap_api_token, self.operator_webhook_url)
        return tuple(token.get_secret_value() for token in tokens if token is not None)
