"""The files that people and the bot sent. Like Discord's CDN, we serve them to everyone who knows the address."""

from aiohttp import web

from dispinmap_sandbox.discord.rest.body import number
from dispinmap_sandbox.discord.state import State


class AttachmentRoutes:
    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[web.RouteDef]:
        return [web.get(r"/attachments/{channel_id:\d+}/{attachment_id:\d+}/{filename}", self.get)]

    async def get(self, request: web.Request) -> web.Response:
        attachment = self._state.attachments.get(number(request, "attachment_id"))
        if attachment is None:
            raise web.HTTPNotFound
        # The browser must download a file, never show it: an HTML file would run with this server's origin.
        headers = {
            "Content-Type": attachment.content_type,
            "Content-Disposition": "attachment",
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(body=attachment.content, headers=headers)
