"""Live updates: every open page gets what its speaker may see, as server-sent events."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dispinmap_sandbox.discord.events import Event, EventKind
from dispinmap_sandbox.discord.models import Json
from dispinmap_sandbox.discord.server import DiscordServer
from dispinmap_sandbox.page import views


@dataclass(eq=False)
class Listener:
    """One open page. None in the queue ends its stream."""

    viewer_id: int
    queue: asyncio.Queue[Json | None] = field(default_factory=asyncio.Queue)


class Live:
    """Passes Discord's events and the page's own to every listener. A page starts with `snapshot(viewer_id)`."""

    def __init__(self, discord: DiscordServer, snapshot: Callable[[int], Json]) -> None:
        self._discord = discord
        self._snapshot = snapshot
        self._listeners: set[Listener] = set()

    @contextmanager
    def listen(self, viewer_id: int) -> Iterator[asyncio.Queue[Json | None]]:
        """A queue that begins with the snapshot, so that the page misses nothing in between."""
        listener = Listener(viewer_id)
        listener.queue.put_nowait(self._snapshot(viewer_id))
        self._listeners.add(listener)
        try:
            yield listener.queue
        finally:
            self._listeners.remove(listener)

    def tell_all(self, news: Json) -> None:
        for listener in self._listeners:
            listener.queue.put_nowait(news)

    def end_all(self) -> None:
        for listener in self._listeners:
            listener.queue.put_nowait(None)

    async def follow(self) -> None:
        """Pass Discord's events on, until cancelled."""
        with self._discord.subscribe() as events:
            while True:
                self._pass_on(await events.get())

    def _pass_on(self, event: Event) -> None:
        for listener in self._listeners:
            if event.is_visible_to(listener.viewer_id):
                listener.queue.put_nowait(self._news(event, listener.viewer_id))

    def _news(self, event: Event, viewer_id: int) -> Json:
        bot = self._discord.state.bot
        if event.kind is EventKind.CHANNELS:
            return self._snapshot(viewer_id)
        if event.kind is EventKind.INTERACTION and event.interaction is not None:
            return {"type": "interaction", **views.interaction(event.interaction)}
        if event.kind is EventKind.MESSAGE_DELETE and event.message is not None:
            return {"type": "message_delete", "channel_id": str(event.channel_id), "id": str(event.message.id)}
        if event.message is not None:
            return {"type": event.kind.value, "message": views.message(event.message, bot)}
        return {"type": event.kind.value, "channel_id": str(event.channel_id), "user_id": str(bot.id)}


def encoded(news: Json) -> bytes:
    """One server-sent event. https://html.spec.whatwg.org/multipage/server-sent-events.html"""
    return f"data: {json.dumps(news, separators=(',', ':'))}\n\n".encode()
