"""`dispinmap start` as a process with its own disk, as a platform runs it."""

import asyncio
import json
import math
import os
import re
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import aiohttp

from dispinmap.backup.litestream import bound
from dispinmap_sandbox.discord.models import Message
from dispinmap_sandbox.services import EmbeddedServices
from tests.backup.conftest import StoragePlace
from tests.fakes.fast_clock import FastClock
from tests.fakes.stage import shown
from tests.fakes.values import GROUND_KONTROL

PROJECT = Path(__file__).parents[2]
PATIENCE = 60
MONSTER_BASH = 641


class Container:
    """One bot. We read its log, which also tells its port."""

    def __init__(
        self, services: EmbeddedServices, clock: FastClock, disk: Path, place: StoragePlace, binary: Path, **more: str
    ) -> None:
        disk.mkdir(exist_ok=True)
        self.services = services
        self._clock = clock
        self.database = disk / "pinball_bot.db"
        self.events: list[dict[str, object]] = []
        self.command: tuple[str, ...] = (
            *(sys.executable, "-m", "tests.backup.fast_start"),
            *(str(clock.origin), str(clock.factor)),
        )
        self._environment = {
            **os.environ,
            **services.environment,
            "LITESTREAM_PATH": str(self.database),
            "LITESTREAM_REPLICA_URL": place.url,
            "LITESTREAM_BIN": str(binary),
            "LEASE_SECONDS": "300",
            "PORT": "0",
            "LOG_FORMAT": "json",
            **more,
        }
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._news = asyncio.Condition()

    async def start(self) -> None:
        """Start the process; returns as soon as its web pages are up."""
        self.events.clear()
        # `bound` kills it if the tests are killed.
        command = (sys.executable, bound.__file__, str(os.getpid()), *self.command)
        self._process = await asyncio.create_subprocess_exec(
            *command, cwd=PROJECT, env=self._environment, stderr=asyncio.subprocess.PIPE, start_new_session=True
        )
        self._reading = asyncio.create_task(self._read())
        await self.logged("web_listening")

    async def until_ready(self) -> None:
        """Wait until `/ready` finds no fault, except for what needs minutes."""
        await self.logged("discord_ready")
        async with asyncio.timeout(PATIENCE):
            while (faults := set((await self.ready())["faults"])) - {"backup", "drill"}:
                assert not self.ended, (faults, self.events)

    async def until_replicated(self) -> None:
        """Wait until the backup has everything written so far."""
        called = asked = self._clock.monotonic()
        async with asyncio.timeout(PATIENCE):
            while asked - await self._lag() < called:
                assert not self.ended, self.events
                asked = self._clock.monotonic()

    async def ready(self) -> dict[str, Any]:
        """What `/ready` answers."""
        body: dict[str, Any] = json.loads(await self._page("ready"))
        return body

    async def _lag(self) -> float:
        """Seconds since the backup had everything; infinite before that."""
        found = re.search(r"^dispinmap_replication_lag_seconds (\S+)", await self._page("metrics"), re.MULTILINE)
        return float(found[1]) if found else math.inf

    async def _page(self, name: str) -> str:
        port = next(event["port"] for event in self.events if event["event"] == "web_listening")
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/{name}") as answer:
            return await answer.text()

    async def logged(self, event: str) -> dict[str, object]:
        """Wait until the process logs this event; AssertionError with its log if it ends before."""

        def found() -> dict[str, object] | None:
            return next((each for each in self.events if each["event"] == event), None)

        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: found() or self.ended)
        line = found()
        assert line is not None, self.events
        return line

    @property
    def ended(self) -> bool:
        return self._reading is None or self._reading.done()

    async def stop(self) -> int:
        """Send SIGTERM and return the exit code. Waits no longer than a platform."""
        assert self._process is not None
        self._process.terminate()
        code = await asyncio.wait_for(self._process.wait(), 10)
        await self._forget()
        return code

    async def wait(self) -> int:
        """Wait until it ends by itself; returns the exit code."""
        assert self._process is not None
        code = await asyncio.wait_for(self._process.wait(), PATIENCE)
        await self._forget()
        return code

    async def kill(self) -> None:
        """Send SIGKILL to the bot; Litestream must end by itself."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()
        await self._forget()

    async def _forget(self) -> None:
        if self._reading is not None:
            await asyncio.wait_for(self._reading, PATIENCE)
        self._process = None

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            async with self._news:
                self.events.append(_event(line))
                self._news.notify_all()
        async with self._news:
            self._news.notify_all()


def _event(line: bytes) -> dict[str, object]:
    try:
        event: dict[str, object] = json.loads(line)
    except ValueError:
        return {"event": line.decode()}
    return event


@asynccontextmanager
async def running(container: Container) -> AsyncIterator[Container]:
    """A started bot, killed at the end if it is still running."""
    try:
        await container.start()
        yield container
    finally:
        await container.kill()


async def watch(services: EmbeddedServices) -> None:
    """Let the pinball channel watch one location without delay."""
    admin, channel_id = services.seed.administrator.id, services.seed.pinball.id
    for name, options in (
        ("add location", {"name": str(GROUND_KONTROL)}),
        ("notifications", {"kind": "all"}),
        ("poll_rate", {"minutes": "1"}),
    ):
        await services.discord.answer(await services.discord.invoke(admin, channel_id, name, options))


def comment(services: EmbeddedServices, number: int) -> int:
    """A new submission; returns its id."""
    return services.world.comment(GROUND_KONTROL, MONSTER_BASH, f"game {number} played").id


def posted(services: EmbeddedServices) -> Counter[int]:
    """How often each submission was posted in the pinball channel."""
    messages = services.discord.state.messages.values()
    own = [each for each in messages if each.channel_id == services.seed.pinball.id and not each.is_response]
    return Counter(id_ for message in own for id_ in shown(message))


def carries(submission_id: int) -> Callable[[Message], bool]:
    return lambda message: submission_id in shown(message)


def rows(database: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def execute(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database, timeout=PATIENCE)) as connection, connection:
        connection.execute(statement)
