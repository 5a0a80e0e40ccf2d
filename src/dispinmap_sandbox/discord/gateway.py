"""The gateway: web sockets that send events to the bot, and sessions that outlive a socket.

https://discord.com/developers/docs/events/gateway
"""

import asyncio
import secrets

import structlog
from aiohttp import WSMsgType, web

from dispinmap_sandbox.discord import payloads
from dispinmap_sandbox.discord.connection import GOODBYE_SECONDS, Connection
from dispinmap_sandbox.discord.models import Guild, Json
from dispinmap_sandbox.discord.sessions import PRIVILEGED, CloseCode, Drop, Intent, Op, Session
from dispinmap_sandbox.discord.state import State

HEARTBEAT_SECONDS = 41.25
ACKNOWLEDGED_AFTER_SECONDS = 0.05
"""About one round trip to Discord. discord.py notes in another thread when it sent a heartbeat. If the answer is
there first, discord.py measures from the previous heartbeat and warns that it cannot keep up."""
log = structlog.get_logger(__name__)


class Gateway:
    """`allowed_intents` are the ones that are on for the application in Discord's developer portal."""

    def __init__(self, state: State, token: str) -> None:
        self._state = state
        self._token = token
        self.url = ""
        self.allowed_intents = int(PRIVILEGED)
        self._connections: set[Connection] = set()
        self._sessions: dict[str, Session] = {}
        self._online = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Whether at least one session receives events now."""
        return self._online.is_set()

    async def wait_connected(self) -> None:
        await self._online.wait()

    def dispatch(
        self,
        name: str,
        data: Json,
        *,
        intent: Intent | None,
        guild_id: int | None = None,
        without_content: Json | None = None,
    ) -> None:
        """Send an event to every session that wants it.

        Sessions without the message-content intent get `without_content` instead, if it is given.
        """
        reduced = data if without_content is None else without_content
        for session in self._sessions.values():
            if session.serves(guild_id) and (intent is None or session.intents & intent):
                session.dispatch(name, data if session.intents & Intent.MESSAGE_CONTENT else reduced)

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """One web socket, from HELLO to its end."""
        socket = web.WebSocketResponse(timeout=GOODBYE_SECONDS, max_msg_size=0)
        await socket.prepare(request)
        connection = Connection(socket, request, request.query.get("compress"))
        self._connections.add(connection)
        try:
            connection.send({"op": Op.HELLO, "d": {"heartbeat_interval": int(HEARTBEAT_SECONDS * 1000)}})
            await self._listen(connection)
        finally:
            self._connections.discard(connection)
            self._detach(connection)
            await connection.finish()
        return socket

    def drop(self, how: Drop = Drop.CUT, *, resumable: bool = True) -> None:
        """End every connection. From now on, events wait for a resume."""
        for connection in list(self._connections):
            if how is Drop.RECONNECT:
                connection.send({"op": Op.RECONNECT, "d": None})
            elif how is Drop.INVALID:
                connection.send({"op": Op.INVALID_SESSION, "d": resumable})
            else:
                connection.cut()
            self._detach(connection)
        if not resumable:
            self._sessions.clear()

    async def close(self) -> None:
        for connection in list(self._connections):
            await connection.close(1001)

    async def _listen(self, connection: Connection) -> None:
        while True:
            try:
                message = await connection.socket.receive(timeout=HEARTBEAT_SECONDS * 2)
            except TimeoutError:
                await connection.close(CloseCode.SESSION_TIMED_OUT)
                return None
            if message.type is not WSMsgType.TEXT:
                return self._ended(connection, message.data)
            try:
                packet = message.json()
                code = self._received(connection, packet["op"], packet.get("d"))
            except (ValueError, KeyError, TypeError):
                code = CloseCode.DECODE_ERROR
            if code is not None:
                log.info("sandbox_gateway_refused", code=int(code))
                await connection.close(code)
                return None

    def _ended(self, connection: Connection, code: object) -> None:
        """Forget the session of a client that closes with 1000 or 1001.

        https://discord.com/developers/docs/events/gateway#disconnecting
        """
        if code in (1000, 1001):
            self._sessions = {key: s for key, s in self._sessions.items() if s.connection is not connection}

    def _received(self, connection: Connection, op: int, data: Json) -> CloseCode | None:
        """Handle a packet. Returns a close code if the connection must end."""
        if op == Op.HEARTBEAT:
            asyncio.get_running_loop().call_later(ACKNOWLEDGED_AFTER_SECONDS, connection.send, {"op": Op.HEARTBEAT_ACK})
        elif op == Op.IDENTIFY:
            return self._identify(connection, data)
        elif op == Op.RESUME:
            return self._resume(connection, data)
        elif self._session_of(connection) is None:
            return CloseCode.NOT_AUTHENTICATED
        return None

    def _identify(self, connection: Connection, data: Json) -> CloseCode | None:
        if data["token"] != self._token:
            return CloseCode.AUTHENTICATION_FAILED
        if self._session_of(connection) is not None:
            return CloseCode.ALREADY_AUTHENTICATED
        if data["intents"] & PRIVILEGED & ~self.allowed_intents:
            return CloseCode.DISALLOWED_INTENTS
        index, count = data.get("shard") or (0, 1)
        session = Session(secrets.token_hex(16), data["intents"], (index, count))
        self._sessions[session.id] = session
        self._attach(session, connection)
        self._greet(session)
        return None

    def _greet(self, session: Session) -> None:
        guilds = [guild for guild in self._state.bot_guilds if session.serves(guild.id)]
        ready: Json = {
            "v": 10,
            "user": payloads.own_user(self._state.bot),
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "shard": list(session.shard),
            "application": {"id": str(self._state.application_id), "flags": 0},
        }
        session.dispatch("READY", ready)
        if session.intents & Intent.GUILDS:
            for guild in guilds:
                session.dispatch("GUILD_CREATE", {**self._guild(guild), "unavailable": False})

    def guild_joined(self, guild: Guild) -> None:
        """Announce a new server. It has no key `unavailable`, unlike a server that is available again."""
        self.dispatch("GUILD_CREATE", self._guild(guild), intent=Intent.GUILDS, guild_id=guild.id)

    def _guild(self, guild: Guild) -> Json:
        return payloads.guild_create(guild, self._state.guild_channels(guild.id), self._state.bot)

    def _resume(self, connection: Connection, data: Json) -> CloseCode | None:
        if data["token"] != self._token:
            return CloseCode.AUTHENTICATION_FAILED
        session = self._sessions.get(data["session_id"])
        missed = None if session is None else session.missed(data["seq"])
        if session is None or missed is None:
            connection.send({"op": Op.INVALID_SESSION, "d": False})
            return None
        for event in missed:
            connection.send(event)
        self._attach(session, connection)
        session.dispatch("RESUMED", {})
        return None

    def _session_of(self, connection: Connection) -> Session | None:
        return next((s for s in self._sessions.values() if s.connection is connection), None)

    def _attach(self, session: Session, connection: Connection) -> None:
        session.connection = connection
        self._online.set()

    def _detach(self, connection: Connection) -> None:
        session = self._session_of(connection)
        if session is not None:
            session.connection = None
        if all(each.connection is None for each in self._sessions.values()):
            self._online.clear()
