"""Poller and sender on a fast clock, with a file in Discord's place, until they are killed.

`python -m tests.e2e.catching_up_bot DATABASE BASE_URL POSTS ORIGIN`
"""

import asyncio
import sys
from pathlib import Path

import structlog

from dispinmap.database.engine import Database
from dispinmap.discordbot.cards import measure
from dispinmap.feed.poller import Poller
from dispinmap.http import open_session
from dispinmap.outbox.sender import Sender
from dispinmap.pinballmap.client import PinballMapClient
from tests.fakes.fast_clock import FastClock
from tests.fakes.pipeline import MINUTE, WINDOW
from tests.fakes.postfile import PostFile


async def main(path: str, base_url: str, posts: str, origin: str) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    clock = FastClock(float(origin))
    database = Database(f"sqlite:///{path}")
    async with open_session() as session, asyncio.TaskGroup() as loops:
        sender = Sender(database, PostFile(Path(posts)), clock, measure, settle_window=WINDOW)
        client = PinballMapClient(session, base_url, None, clock, requests_per_minute=60_000)
        poller = Poller(
            client, database, clock, shortest_interval=MINUTE, settle_window=WINDOW, wake_sender=sender.wake
        )
        await poller.begin()
        loops.create_task(poller.run())
        loops.create_task(sender.run())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
