"""Channels and their messages."""

from aiohttp import web

from dispinmap_sandbox.discord import errors, payloads
from dispinmap_sandbox.discord.forms import Form
from dispinmap_sandbox.discord.history import page
from dispinmap_sandbox.discord.models import Channel, Message
from dispinmap_sandbox.discord.permissions import Permission, has
from dispinmap_sandbox.discord.posts import Body, Posts
from dispinmap_sandbox.discord.rest.body import number, read_body
from dispinmap_sandbox.discord.state import State

ONE = r"/channels/{channel_id:\d+}"
MANY = ONE + "/messages"


class MessageRoutes:
    """https://discord.com/developers/docs/resources/message"""

    def __init__(self, state: State, posts: Posts) -> None:
        self._state = state
        self._posts = posts

    def routes(self) -> list[web.RouteDef]:
        message = MANY + r"/{message_id:\d+}"
        return [
            web.get(ONE, self.channel),
            web.post(ONE + "/typing", self.typing),
            web.get(MANY, self.history),
            web.post(MANY, self.create),
            web.get(message, self.get),
            web.patch(message, self.edit),
            web.delete(message, self.delete),
        ]

    async def channel(self, request: web.Request) -> web.Response:
        return web.json_response(payloads.channel(self._channel(request)))

    async def typing(self, request: web.Request) -> web.Response:
        channel = self._channel(request, Permission.SEND_MESSAGES)
        self._posts.typing(channel.id)
        return web.Response(status=204)

    async def history(self, request: web.Request) -> web.Response:
        """Newest first. Discord documents that a bot without the permission gets an empty list."""
        channel = self._channel(request)
        bits = self._state.channel_permissions(self._state.bot.id, channel)
        readable = has(bits, Permission.READ_MESSAGE_HISTORY)
        messages = self._state.channel_messages(channel.id) if readable else []
        found = page(messages, request.query)
        return web.json_response([self._posts.payload_for_bot(message) for message in found])

    async def create(self, request: web.Request) -> web.Response:
        channel = self._channel(request, Permission.SEND_MESSAGES)
        body = await read_body(request)
        self._check_contents(channel, body)
        message = self._repeat(body) or self._create(channel, body)
        return web.json_response(self._posts.payload(message))

    def _create(self, channel: Channel, body: Body) -> Message:
        message = self._posts.create(self._state.bot, channel.id, body)
        if message.nonce is not None:
            self._state.remember_nonce(message)
        return message

    def _repeat(self, body: Body) -> Message | None:
        """The earlier message, if this one repeats it. `enforce_nonce` compares nonce and author."""
        nonce = body.payload.get("nonce")
        if nonce is None or not body.payload.get("enforce_nonce"):
            return None
        return self._state.posted_with(self._state.bot.id, str(nonce))

    async def get(self, request: web.Request) -> web.Response:
        message = self._message(request, Permission.READ_MESSAGE_HISTORY)
        return web.json_response(self._posts.payload_for_bot(message))

    async def edit(self, request: web.Request) -> web.Response:
        message = self._message(request)
        if message.author != self._state.bot:
            raise errors.not_the_author()
        body = await read_body(request)
        self._check_contents(self._state.channels[message.channel_id], body)
        self._posts.edit(message, body)
        return web.json_response(self._posts.payload(message))

    async def delete(self, request: web.Request) -> web.Response:
        message = self._message(request)
        bits = self._state.channel_permissions(self._state.bot.id, self._state.channels[message.channel_id])
        if message.author != self._state.bot and not has(bits, Permission.MANAGE_MESSAGES):
            raise errors.missing_permissions()
        self._posts.delete(message)
        return web.Response(status=204)

    def _channel(self, request: web.Request, *needed: Permission) -> Channel:
        channel = self._state.accessible_channel(number(request, "channel_id"))
        if not has(self._state.channel_permissions(self._state.bot.id, channel), *needed):
            raise errors.missing_permissions()
        return channel

    def _message(self, request: web.Request, *needed: Permission) -> Message:
        channel = self._channel(request, *needed)
        message = self._state.messages.get(number(request, "message_id"))
        if message is None or message.channel_id != channel.id or message.visible_to is not None:
            raise errors.unknown_message()
        return message

    def _check_contents(self, channel: Channel, body: Body) -> None:
        bits = self._state.channel_permissions(self._state.bot.id, channel)
        if body.payload.get("embeds") and not has(bits, Permission.EMBED_LINKS):
            raise errors.missing_permissions()
        if body.uploads and not has(bits, Permission.ATTACH_FILES):
            raise errors.missing_permissions()
        self._check_reference(channel, body)

    def _check_reference(self, channel: Channel, body: Body) -> None:
        reference = body.payload.get("message_reference") or {}
        if "message_id" not in reference or not reference.get("fail_if_not_exists", True):
            return
        message = self._state.messages.get(int(reference["message_id"]))
        if message is None or message.channel_id != channel.id:
            form = Form()
            form.complain(("message_reference",), "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
            form.raise_if_bad()
