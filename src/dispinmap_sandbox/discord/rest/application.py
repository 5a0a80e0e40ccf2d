"""The application itself: its user, its gateway address, its commands and servers."""

from aiohttp import web

from dispinmap_sandbox.discord import commands, errors, payloads
from dispinmap_sandbox.discord.events import Event, EventKind, Events
from dispinmap_sandbox.discord.gateway import Gateway
from dispinmap_sandbox.discord.models import Guild, Json
from dispinmap_sandbox.discord.rest.body import number, parse
from dispinmap_sandbox.discord.state import State

COMMANDS = r"/applications/{application_id:\d+}/commands"
GUILD_COMMANDS = r"/applications/{application_id:\d+}/guilds/{guild_id:\d+}/commands"


class ApplicationRoutes:
    """https://discord.com/developers/docs/resources/application and …/interactions/application-commands"""

    def __init__(self, state: State, gateway: Gateway, events: Events) -> None:
        self._state = state
        self._gateway = gateway
        self._events = events

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/gateway", self.gateway),
            web.get("/gateway/bot", self.gateway),
            web.get("/users/@me", self.me),
            web.get(r"/users/{user_id:\d+}", self.user),
            web.get("/oauth2/applications/@me", self.application),
            web.get("/applications/@me", self.application),
            web.get(COMMANDS, self.commands),
            web.put(COMMANDS, self.register),
            web.get(GUILD_COMMANDS, self.commands),
            web.put(GUILD_COMMANDS, self.register),
            web.get(r"/guilds/{guild_id:\d+}", self.guild),
            web.get(r"/guilds/{guild_id:\d+}/channels", self.guild_channels),
            web.get(r"/guilds/{guild_id:\d+}/members/{user_id:\d+}", self.member),
        ]

    async def gateway(self, _request: web.Request) -> web.Response:
        limits = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
        return web.json_response({"url": self._gateway.url, "shards": 1, "session_start_limit": limits})

    async def me(self, _request: web.Request) -> web.Response:
        return web.json_response(payloads.own_user(self._state.bot))

    async def user(self, request: web.Request) -> web.Response:
        user = self._state.users.get(number(request, "user_id"))
        if user is None:
            raise errors.unknown_user()
        return web.json_response(payloads.user(user))

    async def application(self, _request: web.Request) -> web.Response:
        bot = self._state.bot
        owner = next((user for user in self._state.users.values() if not user.bot), bot)
        return web.json_response(
            {
                "id": str(self._state.application_id),
                "name": bot.display_name,
                "description": "",
                "icon": None,
                "bot_public": True,
                "bot_require_code_grant": False,
                "owner": payloads.user(owner),
                "verify_key": "0" * 64,
                "flags": 0,
                "approximate_guild_count": len(self._state.bot_guilds),
            }
        )

    async def commands(self, request: web.Request) -> web.Response:
        return web.json_response(self._state.commands.get(self._scope(request), []))

    async def register(self, request: web.Request) -> web.Response:
        """Replace all commands of the scope. A command that keeps its name keeps its id."""
        scope = self._scope(request)
        given = parse(await request.text())
        if not isinstance(given, list):
            raise errors.invalid_form(
                {"_errors": [{"code": "LIST_TYPE_CONVERT", "message": "Only iterables may be used"}]}
            )
        commands.check_registration(given)
        ids = {command["name"]: command["id"] for command in self._state.commands.get(scope, [])}
        self._state.commands[scope] = [self._registered(command, ids, scope) for command in given]
        self._events.publish(Event(EventKind.COMMANDS))
        return web.json_response(self._state.commands[scope])

    def _registered(self, command: Json, ids: dict[str, str], scope: int | None) -> Json:
        version = str(self._state.snowflakes.next())
        permissions = command.get("default_member_permissions")
        registered = {
            "type": commands.CHAT_INPUT,
            "options": [],
            **command,
            "id": ids.get(command["name"], version),
            "application_id": str(self._state.application_id),
            "version": version,
            "default_member_permissions": None if permissions is None else str(permissions),
        }
        return registered if scope is None else {**registered, "guild_id": str(scope)}

    def _scope(self, request: web.Request) -> int | None:
        if number(request, "application_id") != self._state.application_id:
            raise errors.unknown_application()
        return self._guild(request).id if "guild_id" in request.match_info else None

    async def guild(self, request: web.Request) -> web.Response:
        return web.json_response(payloads.guild(self._guild(request)))

    async def guild_channels(self, request: web.Request) -> web.Response:
        channels = self._state.guild_channels(self._guild(request).id)
        return web.json_response([payloads.channel(channel) for channel in channels])

    async def member(self, request: web.Request) -> web.Response:
        member = self._guild(request).members.get(number(request, "user_id"))
        if member is None:
            raise errors.unknown_member()
        return web.json_response(payloads.full_member(member))

    def _guild(self, request: web.Request) -> Guild:
        guild = self._state.guilds.get(number(request, "guild_id"))
        if guild is None:
            raise errors.unknown_guild()
        if self._state.bot.id not in guild.members:
            raise errors.missing_access()
        return guild
