"""Pages of a channel's history (pure)."""

from collections.abc import Mapping, Sequence

from dispinmap_sandbox.discord.forms import Form
from dispinmap_sandbox.discord.models import Message

DEFAULT_LIMIT = 50
MAX_LIMIT = 100


def page(messages: Sequence[Message], query: Mapping[str, str]) -> list[Message]:
    """Newest first in every direction. `messages` are oldest first.

    `before` and `after` take the messages next to the given id, `around` takes both sides. `limit` is 1 to 100. Raises
    ApiError 50035 for anything else. https://discord.com/developers/docs/resources/message#get-channel-messages
    """
    limit = _limit(query.get("limit", str(DEFAULT_LIMIT)))
    side = next((name for name in ("around", "after", "before") if name in query), None)
    if side is None:
        return list(messages[-limit:])[::-1]
    middle = _id(query, side)
    if side == "around":
        return _around(messages, middle, limit)[::-1]
    if side == "after":
        return [message for message in messages if message.id > middle][:limit][::-1]
    return [message for message in messages if message.id < middle][-limit:][::-1]


def _around(messages: Sequence[Message], middle: int, limit: int) -> list[Message]:
    half = limit // 2
    before = [message for message in messages if message.id < middle][-half:] if half else []
    rest = [message for message in messages if message.id >= middle]
    return before + rest[: limit - half]


def _limit(text: str) -> int:
    form = Form()
    if not text.isdecimal() or not 1 <= int(text) <= MAX_LIMIT:
        form.complain(("limit",), "NUMBER_TYPE_MAX", f"int value should be between 1 and {MAX_LIMIT}.")
    form.raise_if_bad()
    return int(text)


def _id(query: Mapping[str, str], name: str) -> int:
    form = Form()
    if not query[name].isdecimal():
        form.complain((name,), "NUMBER_TYPE_COERCE", f'Value "{query[name]}" is not snowflake.')
    form.raise_if_bad()
    return int(query[name])
