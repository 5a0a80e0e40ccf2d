"""A bot that was away for days, and is killed (`kill -9`) again and again while it reads and posts what it missed."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

from aiohttp import web
from sqlalchemy import insert

from dispinmap.database.engine import Database
from dispinmap.database.queries import feed
from dispinmap.database.tables import ChannelConfigRow, MonitoringTargetRow
from dispinmap.feed.cursor import Cursor
from dispinmap_sandbox.pinballmap_server import PinballMapServer
from tests.fakes.missed import Wish
from tests.fakes.postfile import PostFile

FEED = "user_submissions.json"
PROJECT = Path(__file__).parents[2]
PAUSE_SECONDS = 0.02


class PatientServer(PinballMapServer):
    """Without the limit of requests a minute, because weeks pass here in seconds."""

    async def gate(self, _request: web.Request) -> web.StreamResponse | None:
        return None


async def leave(database: Database, wishes: Sequence[Wish], since: datetime) -> None:
    """Store what a bot leaves that knew these targets, and was up to date, until `since`."""
    channels = sorted({wish.channel_id for wish in wishes})
    async with database.write() as session:
        await session.execute(
            insert(ChannelConfigRow),
            [{"channel_id": each, "guild_id": 1} for each in channels],
        )
        await session.execute(
            insert(MonitoringTargetRow),
            [
                {
                    "channel_id": wish.channel_id,
                    "target_type": "latlong" if wish.area else "location",
                    "target_name": wish.area or wish.venue.name,
                    "location_id": None if wish.area else wish.venue.id,
                    "poll_rate_minutes": 1,
                    "notification_types": wish.kind,
                    "created_at": since - timedelta(days=1),
                    "last_checked_at": since,
                }
                for wish in wishes
            ],
        )
        await feed.save_cursor(session, Cursor(since - timedelta(days=1), since, last_polled_at=since))


async def catch_up_killed(
    path: Path, posts: Path, server: PinballMapServer, kill_after_requests: Sequence[int], kill_after_posts: int
) -> int:
    """Let the bot run, and kill it after each number of requests, then once after that many posts; then let it finish.

    Returns how often it was killed. It has finished when it asks for news a few times and posts nothing more.
    """
    arguments = (str(path), server.base_url, str(posts), str(time.time()))
    for requests in kill_after_requests:
        async with _running(arguments):
            await _requests(server, requests)
    async with _running(arguments):
        await _posted(posts, kill_after_posts)
    async with _running(arguments):
        await _requests(server, 1)
        quiet, before = 0, -1
        while quiet < 3:
            await _requests(server, 1)
            now = len(PostFile(posts).posted())
            quiet, before = quiet + 1 if now == before else 0, now
    return len(kill_after_requests) + 1


async def _requests(server: PinballMapServer, count: int) -> None:
    for _ in range(count):
        await server.next_request(FEED)


async def _posted(posts: Path, count: int) -> None:
    while len(PostFile(posts).posted()) < count:  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(PAUSE_SECONDS)


@asynccontextmanager
async def _running(arguments: Sequence[str]) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.e2e.catching_up_bot", *arguments, cwd=PROJECT
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
