"""Posts, edits and deletes messages: changes the state, and tells the gateway and the page."""

import re
from dataclasses import dataclass, field

from dispinmap_sandbox.discord import errors, payloads
from dispinmap_sandbox.discord.components import numbered
from dispinmap_sandbox.discord.events import Event, EventKind, Events
from dispinmap_sandbox.discord.gateway import Gateway
from dispinmap_sandbox.discord.models import (
    EPHEMERAL,
    LOADING,
    Attachment,
    Json,
    Message,
    Origin,
    Upload,
    User,
)
from dispinmap_sandbox.discord.permissions import Permission, has
from dispinmap_sandbox.discord.sessions import Intent
from dispinmap_sandbox.discord.state import State
from dispinmap_sandbox.discord.validation import check_message, check_not_empty, is_blank

SETTABLE_FLAGS = 1 << 2 | EPHEMERAL | 1 << 12
"""The flags that a request may set: suppress embeds, ephemeral, silent."""
CHAT_COMMAND = 20
"""The message type of the first answer to a slash command."""


@dataclass(frozen=True, slots=True)
class Body:
    """A request to post: Discord's JSON and the files that come with it."""

    payload: Json = field(default_factory=dict)
    uploads: tuple[Upload, ...] = ()


class Posts:
    """Every method that takes a Body raises ApiError 50035 or 50006 if Discord would refuse it."""

    def __init__(self, state: State, gateway: Gateway, events: Events) -> None:
        self._state = state
        self._gateway = gateway
        self._events = events
        self.files_url = ""
        """The address that serves attachments. Set once the server listens."""

    def create(
        self,
        author: User,
        channel_id: int,
        body: Body,
        *,
        origin: Origin | None = None,
        kind: int = 0,
        extra_flags: int = 0,
    ) -> Message:
        """Post. With an origin, the message answers an interaction and may be ephemeral.

        Also raises ApiError 10003, if the channel is deleted before the answer comes.
        """
        channel = self._state.channels.get(channel_id)
        if channel is None:
            raise errors.unknown_channel()
        payload = body.payload
        check_message(payload, len(body.uploads))
        flags = (payload.get("flags") or 0) & SETTABLE_FLAGS | extra_flags
        message = Message(
            self._state.snowflakes.next(),
            channel_id,
            author,
            self._state.clock.now(),
            flags=flags if origin is not None else flags & ~EPHEMERAL,
            nonce=payload.get("nonce"),
            kind=kind,
            origin=origin,
            is_response=origin is not None,
            reply_to=_reply_to(payload),
            visible_to=origin.user.id if origin is not None and flags & EPHEMERAL else None,
        )
        self._fill(message, body, may_be_empty=message.thinking)
        self._state.messages[message.id] = message
        channel.last_message_id = message.id
        self._tell(EventKind.MESSAGE_CREATE, message)
        return message

    def edit(self, message: Message, body: Body) -> None:
        """Change the fields that the body has. A message that was “thinking…” becomes the answer."""
        check_message(body.payload, len(body.uploads))
        self._fill(message, body, may_be_empty=False)
        if message.thinking:
            message.flags &= ~LOADING
        else:
            message.edited_at = self._state.clock.now()
        self._tell(EventKind.MESSAGE_UPDATE, message)

    def delete(self, message: Message) -> None:
        del self._state.messages[message.id]
        for attachment in message.attachments:
            del self._state.attachments[attachment.id]
        self._tell(EventKind.MESSAGE_DELETE, message)

    def typing(self, channel_id: int) -> None:
        self._events.publish(Event(EventKind.TYPING, channel_id))

    def _fill(self, message: Message, body: Body, *, may_be_empty: bool) -> None:
        """Apply the fields that the body has. A refused body changes nothing."""
        payload = body.payload
        content = (payload["content"] or "").strip() if "content" in payload else message.content
        embeds = _embeds(payload["embeds"] or []) if "embeds" in payload else message.embeds
        components = numbered(payload["components"] or []) if "components" in payload else message.components
        kept = _kept(message, payload)
        if not may_be_empty:
            check_not_empty(content, embeds, components, kept, body.uploads)
        message.content, message.embeds, message.components = content, embeds, components
        message.attachments = kept + self._store(message, body.uploads)
        if "content" in payload:
            self._mention(message, payload.get("allowed_mentions"))

    def _mention(self, message: Message, allowed: Json | None) -> None:
        """Decide who is pinged: https://discord.com/developers/docs/resources/message#allowed-mentions-object."""
        parse = ["users", "everyone"] if allowed is None else allowed.get("parse") or []
        listed = {int(user_id) for user_id in (allowed or {}).get("users") or []}
        ids = dict.fromkeys(int(user_id) for user_id in re.findall(r"<@!?(\d+)>", message.content))
        users = [self._state.users[user_id] for user_id in ids if user_id in self._state.users]
        message.mentions = [user for user in users if "users" in parse or user.id in listed]
        bits = self._state.channel_permissions(message.author.id, self._state.channels[message.channel_id])
        called = "@everyone" in message.content or "@here" in message.content
        message.mention_everyone = called and "everyone" in parse and has(bits, Permission.MENTION_EVERYONE)

    def _store(self, message: Message, uploads: tuple[Upload, ...]) -> list[Attachment]:
        return [self.store(upload, message.channel_id, ephemeral=message.visible_to is not None) for upload in uploads]

    def store(self, upload: Upload, channel_id: int, *, ephemeral: bool = False) -> Attachment:
        """Keep a file and give it an address."""
        number = self._state.snowflakes.next()
        filename = re.sub(r"[^\w.-]+", "_", upload.filename) or "file"
        url = f"{self.files_url}/attachments/{channel_id}/{number}/{filename}"
        attachment = Attachment(number, filename, upload.content, upload.content_type, url, ephemeral)
        self._state.attachments[number] = attachment
        return attachment

    def _tell(self, kind: EventKind, message: Message) -> None:
        self._events.publish(Event(kind, message.channel_id, message=message))
        channel = self._state.channels.get(message.channel_id)
        if message.visible_to is not None or channel is None:
            return
        if not self._state.channel_permissions(self._state.bot.id, channel):
            return
        ids: Json = {"channel_id": str(channel.id), "guild_id": str(channel.guild_id)}
        if kind is EventKind.MESSAGE_DELETE:
            gone = {"id": str(message.id), **ids}
            self._gateway.dispatch(kind.name, gone, intent=Intent.GUILD_MESSAGES, guild_id=channel.guild_id)
            return
        author = self._state.guilds[channel.guild_id].members.get(message.author.id)
        full = self.payload(message) | ids | ({} if author is None else {"member": payloads.member(author)})
        self._gateway.dispatch(
            kind.name,
            full,
            intent=Intent.GUILD_MESSAGES,
            guild_id=channel.guild_id,
            without_content=full if self._may_read(message) else payloads.withheld(full),
        )

    def payload(self, message: Message) -> Json:
        return payloads.message(message, self._state.bot)

    def payload_for_bot(self, message: Message) -> Json:
        """The message for a REST answer, without its content if the application may not read it."""
        full = self.payload(message)
        readable = self._may_read(message) or self._gateway.allowed_intents & Intent.MESSAGE_CONTENT
        return full if readable else payloads.withheld(full)

    def _may_read(self, message: Message) -> bool:
        """Without the message-content intent, a bot may read its own posts and those that mention it."""
        bot = self._state.bot
        return message.author == bot or bot in message.mentions


def _embeds(given: list[Json]) -> list[Json]:
    return [{"type": "rich", **embed} for embed in given if not is_blank(embed)]


def _kept(message: Message, payload: Json) -> list[Attachment]:
    """In an edit, `attachments` lists those to keep. New files are added to them."""
    listed = payload.get("attachments")
    if listed is None:
        return message.attachments
    ids = {int(each["id"]) for each in listed}
    return [attachment for attachment in message.attachments if attachment.id in ids]


def _reply_to(payload: Json) -> int | None:
    reference = payload.get("message_reference") or {}
    return int(reference["message_id"]) if "message_id" in reference else None
