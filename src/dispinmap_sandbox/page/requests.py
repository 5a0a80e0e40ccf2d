"""The requests of the page's script, as checked models."""

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from dispinmap_sandbox.discord.models import Upload
from dispinmap_sandbox.errors import SandboxError

MOST_SECONDS = 7 * 86_400
"""The longest jump of one request. The page's own buttons jump an hour at most."""


class Say(BaseModel):
    user: int
    channel: int
    text: str


class Invoke(BaseModel):
    user: int
    channel: int
    name: str
    options: dict[str, object] = {}


class Autocomplete(Invoke):
    focused: str


class Click(BaseModel):
    user: int
    message: int
    custom_id: str


class Choose(Click):
    values: list[str]


class Forward(BaseModel):
    seconds: Annotated[float, Field(gt=0, le=MOST_SECONDS)]


class _Change(BaseModel):
    location: int
    user_name: str
    skip: bool = False


class Add(_Change):
    kind: Literal["add"]
    machine: int


class Remove(_Change):
    kind: Literal["remove"]
    machine: int


class Comment(_Change):
    kind: Literal["comment"]
    machine: int
    text: str


class Confirm(_Change):
    kind: Literal["confirm"]


class Score(_Change):
    kind: Literal["score"]
    machine: int
    points: int


class Open(_Change):
    kind: Literal["open"]
    name: str


class Close(_Change):
    kind: Literal["close"]


class Surprise(_Change):
    kind: Literal["surprise"]


Change = Add | Remove | Comment | Confirm | Score | Open | Close | Surprise
CHANGE: TypeAdapter[Change] = TypeAdapter(Annotated[Change, Field(discriminator="kind")])


def sentence(error: ValidationError) -> str:
    """What is wrong with a request, for people who write scripts against the page."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the body"
    return f"The request is wrong at {where}: {first['msg']}."


def with_uploads(options: Mapping[str, object]) -> dict[str, object]:
    """The options of a command. Files (`{filename, content_type, data}`, data in base64) become Uploads."""
    return {name: _upload(name, value) if isinstance(value, dict) else value for name, value in options.items()}


def _upload(name: str, value: Mapping[str, object]) -> Upload:
    try:
        content = base64.b64decode(str(value.get("data", "")), validate=True)
    except binascii.Error as error:
        raise SandboxError(f"The file for {name} arrived damaged: choose it again.") from error
    return Upload(
        str(value.get("filename", "file")), content, str(value.get("content_type") or "application/octet-stream")
    )
