"""Callbacks of interactions, and the webhook that posts follow-ups and edits answers."""

from aiohttp import web

from dispinmap_sandbox.discord import errors
from dispinmap_sandbox.discord.interactions import Interactions
from dispinmap_sandbox.discord.models import Json, Message
from dispinmap_sandbox.discord.posts import Posts
from dispinmap_sandbox.discord.rest.body import flag, number, read_body
from dispinmap_sandbox.discord.state import State

WEBHOOK = r"/webhooks/{application_id:\d+}/{token}"


class InteractionRoutes:
    """https://discord.com/developers/docs/interactions/receiving-and-responding#endpoints"""

    def __init__(self, state: State, interactions: Interactions, posts: Posts) -> None:
        self._state = state
        self._interactions = interactions
        self._posts = posts

    def routes(self) -> list[web.RouteDef]:
        message = WEBHOOK + r"/messages/{message_id:\d+|@original}"
        return [
            web.post(r"/interactions/{interaction_id:\d+}/{token}/callback", self.acknowledge),
            web.post(WEBHOOK, self.follow_up),
            web.get(message, self.get),
            web.patch(message, self.edit),
            web.delete(message, self.delete),
        ]

    async def acknowledge(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        interaction_id, token = number(request, "interaction_id"), request.match_info["token"]
        message = self._interactions.acknowledge(interaction_id, token, body)
        if not flag(request, "with_response"):
            return web.Response(status=204)
        return web.json_response(self._callback_response(token, body.payload["type"], message))

    def _callback_response(self, token: str, callback: int, message: Message | None) -> Json:
        interaction = self._interactions.with_token(token)
        about: Json = {"id": str(interaction.id), "type": int(interaction.kind)}
        if message is None:
            return {"interaction": about}
        about |= {
            "response_message_id": str(message.id),
            "response_message_loading": message.thinking,
            "response_message_ephemeral": message.visible_to is not None,
        }
        return {"interaction": about, "resource": {"type": callback, "message": self._posts.payload(message)}}

    async def follow_up(self, request: web.Request) -> web.Response:
        """Interaction webhooks always answer with the message and ignore `wait`."""
        message = self._interactions.follow_up(self._token(request), await read_body(request))
        return web.json_response(self._posts.payload(message))

    async def get(self, request: web.Request) -> web.Response:
        return web.json_response(self._posts.payload(self._message(request)))

    async def edit(self, request: web.Request) -> web.Response:
        message, body = self._message(request), await read_body(request)
        edited = self._interactions.edit(self._token(request), message, body)
        return web.json_response(self._posts.payload(edited))

    async def delete(self, request: web.Request) -> web.Response:
        self._posts.delete(self._message(request))
        return web.Response(status=204)

    def _message(self, request: web.Request) -> Message:
        return self._interactions.message(self._token(request), request.match_info["message_id"])

    def _token(self, request: web.Request) -> str:
        if number(request, "application_id") != self._state.application_id:
            raise errors.unknown_webhook()
        return request.match_info["token"]
