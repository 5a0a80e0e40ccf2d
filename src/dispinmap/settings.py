"""What the operator sets: environment variables, and `.env` in development."""

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from dispinmap.errors import SettingsError

DISCORD_API_BASE = "https://discord.com/api/v10"
PINBALLMAP_API_BASE = "https://pinballmap.com/api/v1"
GEOCODING_API_BASE = "https://geocoding-api.open-meteo.com/v1"


def _base_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError("write an address that starts with https:// (or http://)")
    return value.rstrip("/")


def _token(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if not text:
        raise ValueError("it is empty: paste the token")
    if re.search(r"\s", text):
        raise ValueError("a token has no blanks in it: paste it again, alone")
    return SecretStr(text)


BaseUrl = Annotated[str, AfterValidator(_base_url)]
Token = Annotated[SecretStr, AfterValidator(_token)]


class Settings(BaseSettings):
    """Every setting, named as its environment variable in lower case. Tokens are masked wherever this is shown."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    discord_token: Token
    discord_api_base: BaseUrl = DISCORD_API_BASE
    pinballmap_api_token: Token | None = None
    pinballmap_api_base: BaseUrl = PINBALLMAP_API_BASE
    geocoding_api_base: BaseUrl = GEOCODING_API_BASE
    sqlalchemy_url: str | None = None
    litestream_path: str | None = None
    database_path: str | None = None
    litestream_bucket: str | None = None
    litestream_replica_url: str | None = None
    port: int = Field(default=8080, ge=0, le=65535)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["console", "json"] = "console"
    feed_min_interval_seconds: float = Field(default=60, gt=0, le=900)
    settle_window_seconds: float = Field(default=300, ge=0, le=86400)
    command_prefix: str = Field(default="", max_length=5, pattern=r"^\S*$")
    manage_channels_required: bool = True

    @property
    def database_url(self) -> str:
        """SQLALCHEMY_URL, or the file named by LITESTREAM_PATH or DATABASE_PATH."""
        return self.sqlalchemy_url or f"sqlite:///{self.litestream_path or self.database_path or 'pinball_bot.db'}"

    @classmethod
    def load(cls) -> Self:
        """Read the environment. Raises SettingsError with one line per variable at fault."""
        try:
            return cls()
        except ValidationError as error:
            raise SettingsError(
                "\n".join(_sentence(str(e["loc"][0]), e["type"], e["msg"]) for e in error.errors())
            ) from None


_CURES = {
    "discord_token": "create a bot at https://discord.com/developers/applications and set its token",
}


def _sentence(field: str, kind: str, message: str) -> str:
    name = field.upper()
    if kind == "missing":
        return f"{name} is not set: {_CURES.get(field, 'set it')}."
    text = message.removeprefix("Value error, ")
    return f"{name} is malformed: {text[:1].lower()}{text[1:]}."
