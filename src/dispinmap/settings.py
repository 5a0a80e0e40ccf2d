"""What the operator sets: environment variables, and `.env` in development."""

import os
import re
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from dispinmap.errors import SettingsError

DISCORD_API_BASE = "https://discord.com/api/v10"
PINBALLMAP_API_BASE = "https://pinballmap.com/api/v1"
GEOCODING_API_BASE = "https://geocoding-api.open-meteo.com/v1"
MIN_RETENTION_DAYS = 31
"""Longer than the bot can be down and still read the feed back to where it left."""
MAX_RETENTION_DAYS = 36500
DOTENV: Final = ".env"
CREDENTIALS: Final = ("AWS_", "GOOGLE_", "LITESTREAM_ACCESS_KEY_ID", "LITESTREAM_SECRET_ACCESS_KEY")
"""How the variables begin that the storages' own libraries read, and Litestream."""


def _base_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError("write an address that starts with https:// (or http://)")
    return value.rstrip("/")


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _token(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if not text:
        raise ValueError("it is empty: paste the token")
    if re.search(r"\s", text):
        raise ValueError("a token has no blanks in it: paste it again, alone")
    return SecretStr(text)


def _webhook_url(value: SecretStr) -> SecretStr:
    # A webhook's address is all that is needed to write there, and therefore is not repeated.
    _base_url(value.get_secret_value())
    return value


def _database_url(value: SecretStr) -> SecretStr:
    # Other databases have a password in their address, which therefore is not repeated here.
    if not re.match(r"sqlite(\+pysqlite)?://", value.get_secret_value()):
        raise ValueError("write the address of a SQLite file, such as sqlite:////data/pinball_bot.db")
    return value


BaseUrl = Annotated[str, AfterValidator(_base_url)]
Token = Annotated[SecretStr, AfterValidator(_token)]


class DatabaseSettings(BaseSettings):
    """Where the database is: all that commands about it need."""

    model_config = SettingsConfigDict(
        env_file=DOTENV, env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    sqlalchemy_url: Annotated[SecretStr, AfterValidator(_database_url)] | None = None
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
        """Read the environment. Raises SettingsError with one line per variable at fault."""
        try:
            return cls()
        except ValidationError as error:
            raise SettingsError(
                "\n".join(_sentence(str(e["loc"][0]), e["type"], e["msg"]) for e in error.errors())
            ) from None


class BackupSettings(DatabaseSettings):
    """Where the database is and where it is replicated to: all that commands about the backup need."""

    litestream_bucket: str | None = None
    litestream_replica_url: str | None = None
    litestream_config: Path | None = None
    litestream_bin: Path | None = None
    restore_timeout_seconds: float = Field(default=120, gt=0, le=3600)
    lease_seconds: float = Field(default=60, ge=5, le=600)

    @classmethod
    def load(cls) -> Self:
        """Also give the storages' libraries and Litestream, which read the environment alone, `.env`'s credentials."""
        for name, value in dotenv_values(DOTENV).items():
            if value and name.startswith(CREDENTIALS) and not os.environ.get(name):
                os.environ[name] = value
        return super().load()


class Settings(BackupSettings):
    """Every setting, named as its environment variable in lower case. Tokens are masked wherever this is shown."""

    discord_token: Token
    discord_api_base: BaseUrl = DISCORD_API_BASE
    pinballmap_api_token: Token | None = None
    pinballmap_api_base: BaseUrl = PINBALLMAP_API_BASE
    geocoding_api_base: BaseUrl = GEOCODING_API_BASE
    port: int = Field(default=8080, ge=0, le=65535)
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = "INFO"
    log_format: Annotated[Literal["console", "json"], BeforeValidator(_lower)] = "console"
    feed_min_interval_seconds: float = Field(default=60, gt=0, le=900)
    settle_window_seconds: float = Field(default=300, ge=0, le=86400)
    command_prefix: str = Field(default="", max_length=5, pattern=r"^\S*$")
    manage_channels_required: bool = True
    message_retention_days: int = Field(default=90, ge=MIN_RETENTION_DAYS, le=MAX_RETENTION_DAYS)
    submission_retention_days: int = Field(default=400, ge=MIN_RETENTION_DAYS, le=MAX_RETENTION_DAYS)
    backup_drill_hours: float = Field(default=24, gt=0, le=720)
    operator_webhook_url: Annotated[SecretStr, AfterValidator(_webhook_url)] | None = None
    operator_channel_id: int | None = Field(default=None, gt=0)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What is secret in clear, for the one who masks it in the log."""
        tokens = (self.discord_token, self.pinballmap_api_token, self.operator_webhook_url)
        return tuple(token.get_secret_value() for token in tokens if token is not None)


_CURES = {
    "discord_token": "create a bot at https://discord.com/developers/applications and set its token",
    "port": "write a whole number from 0 to 65535, such as 8080",
    "log_level": "write DEBUG, INFO, WARNING or ERROR",
    "log_format": "write console or json",
    "feed_min_interval_seconds": "write a number of seconds above 0 and up to 900, such as 60",
    "settle_window_seconds": "write a number of seconds from 0 to 86400, such as 300",
    "command_prefix": "write at most 5 characters without blanks, such as !, or leave it empty",
    "manage_channels_required": "write true or false",
    "message_retention_days": "write a whole number of days from 31 to 36500, such as 90",
    "submission_retention_days": "write a whole number of days from 31 to 36500, such as 400",
    "restore_timeout_seconds": "write a number of seconds above 0 and up to 3600, such as 120",
    "lease_seconds": "write a number of seconds from 5 to 600, such as 60",
    "backup_drill_hours": "write a number of hours above 0 and up to 720, such as 24",
    "operator_channel_id": "write the number that Discord shows with Copy Channel ID",
}


def _sentence(field: str, kind: str, message: str) -> str:
    name = field.upper()
    if kind == "missing":
        return f"{name} is not set: {_CURES.get(field, 'set it')}."
    return f"{name} is malformed: {_CURES[field] if kind != 'value_error' else message.removeprefix('Value error, ')}."
