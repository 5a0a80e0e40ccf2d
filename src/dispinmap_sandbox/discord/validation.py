"""What a message may contain (pure).

Limits: https://discord.com/developers/docs/resources/message#create-message and …#embed-object-embed-limits
"""

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlsplit

from dispinmap_sandbox.discord import errors
from dispinmap_sandbox.discord.components import check_components
from dispinmap_sandbox.discord.forms import REQUIRED, Form
from dispinmap_sandbox.discord.models import Json

CONTENT_LIMIT = 2000
EMBEDS_LIMIT = 10
EMBEDS_TEXT_LIMIT = 6000
FIELDS_LIMIT = 25
NONCE_LIMIT = 25
FILES_LIMIT = 10
_TEXT_LIMITS = {"title": 256, "description": 4096}


def check_message(payload: Json, file_count: int = 0) -> None:
    """Raises ApiError 50035 for a message beyond a limit. `check_not_empty` checks for empty ones."""
    form = Form()
    form.at_most(("content",), payload.get("content"), CONTENT_LIMIT)
    nonce = payload.get("nonce")
    if isinstance(nonce, str):
        form.at_most(("nonce",), nonce, NONCE_LIMIT)
    if file_count > FILES_LIMIT:
        form.complain(("attachments",), "BASE_TYPE_MAX_LENGTH", f"Must be {FILES_LIMIT} or fewer in length.")
    _check_embeds(form, payload.get("embeds") or [])
    check_components(form, payload.get("components") or [])
    form.raise_if_bad()


def check_not_empty(content: str, *parts: Iterable[object]) -> None:
    """Raises ApiError 50006 for a message that shows nothing."""
    if not content.strip() and not any(list(part) for part in parts):
        raise errors.empty_message()


def is_blank(embed: Json) -> bool:
    """Whether an embed shows nothing. Discord drops such embeds."""
    return not any(
        embed.get(key) for key in ("title", "description", "fields", "footer", "author", "image", "thumbnail")
    )


def embed_size(embed: Json) -> int:
    """The characters that count towards `EMBEDS_TEXT_LIMIT`."""
    fields = embed.get("fields") or []
    texts = [embed.get("title"), embed.get("description")]
    texts += [(embed.get("footer") or {}).get("text"), (embed.get("author") or {}).get("name")]
    texts += [field.get(key) for field in fields for key in ("name", "value")]
    return sum(len(text) for text in texts if text)


def _check_embeds(form: Form, embeds: list[Json]) -> None:
    form.at_most(("embeds",), embeds, EMBEDS_LIMIT)
    for index, embed in enumerate(embeds):
        _check_embed(form, ("embeds", index), embed)
    if sum(map(embed_size, embeds)) > EMBEDS_TEXT_LIMIT:
        form.complain(("embeds",), "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {EMBEDS_TEXT_LIMIT}")


def _check_embed(form: Form, path: tuple[str | int, ...], embed: Json) -> None:
    for key, limit in _TEXT_LIMITS.items():
        form.at_most((*path, key), embed.get(key), limit)
    form.at_most((*path, "footer", "text"), (embed.get("footer") or {}).get("text"), 2048)
    form.at_most((*path, "author", "name"), (embed.get("author") or {}).get("name"), 256)
    _check_url(form, (*path, "url"), embed.get("url"))
    _check_timestamp(form, (*path, "timestamp"), embed.get("timestamp"))
    colour = embed.get("color")
    if colour is not None and not 0 <= colour <= 0xFFFFFF:
        form.complain((*path, "color"), "NUMBER_TYPE_MAX", "int value should be less than or equal to 16777215.")
    fields = embed.get("fields") or []
    form.at_most((*path, "fields"), fields, FIELDS_LIMIT)
    for index, field in enumerate(fields):
        _check_field(form, (*path, "fields", index), field)


def _check_field(form: Form, path: tuple[str | int, ...], field: Json) -> None:
    for key, limit in (("name", 256), ("value", 1024)):
        if not (field.get(key) or "").strip():
            form.complain((*path, key), *REQUIRED)
        form.at_most((*path, key), field.get(key), limit)


def _check_url(form: Form, path: tuple[str | int, ...], url: str | None) -> None:
    if url is None:
        return
    form.at_most(path, url, 2048)
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
        form.complain(path, "URL_TYPE_INVALID_URL", "Not a well formed URL.")


def _check_timestamp(form: Form, path: tuple[str | int, ...], timestamp: str | None) -> None:
    if timestamp is None:
        return
    try:
        datetime.fromisoformat(timestamp)
    except ValueError:
        form.complain(path, "DATE_TIME_TYPE_PARSE", f"Could not parse {timestamp}. Should be ISO8601.")
