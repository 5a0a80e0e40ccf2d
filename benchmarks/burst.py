"""What happens when much is due at once: the real bot against the embedded Discord with its rate limits on.

`python -m benchmarks.burst` makes 500 notifications due in 100 channels, first so that the five of a channel share a
message, then so that each is a message of its own. Discord needs 0.15 s for a post, as the real one does. It prints
posts a second, answers 429, the most posts in any second, and how long the slowest command took until all were posted.
It ends with code 1 if Discord had to refuse anything or the 500 messages left at less than 47 a second.
"""

import asyncio
import sys
import time
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
from sqlalchemy import insert

from dispinmap.database.engine import Database
from dispinmap.database.tables import ChannelConfigRow, MessageRow, NotificationRow, SubmissionRow
from dispinmap.outbox.batches import nonce
from dispinmap.outbox.models import MessageState, NotificationState
from dispinmap_sandbox.discord.events import Event
from dispinmap_sandbox.discord.models import Message
from tests.fakes.stage import Stage, open_stage, shown

CHANNELS, PER_CHANNEL = 100, 5
FIRST_ID = 10**9
"""Of the seeded submissions: above those of the embedded Pinball Map."""
COMMAND_PAUSE_SECONDS = 0.2
MENTION_PAUSE_SECONDS = 1.5
"""A channel takes five messages in five seconds, and an answered mention is two."""
LATENCY_SECONDS = 0.15
LEAST_PER_SECOND = 47.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one burst, in real time. `per_second` counts replies to mentions too: they are posts as any other."""

    notifications: int
    messages: int
    seconds: float
    per_second: float
    busiest_second: int
    refused: int
    slowest_command: float
    slowest_mention: float

    def __str__(self) -> str:
        return (
            f"{self.notifications} notifications in {self.messages} messages: {self.seconds:.1f} s, "
            f"{self.per_second:.1f} a second, {self.busiest_second} in the busiest second, {self.refused} answers 429; "
            f"the slowest slash command took {self.slowest_command:.2f} s, "
            f"the slowest mention {self.slowest_mention:.2f} s"
        )


async def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    shared, single = await measure()
    if shared.refused or single.refused or single.per_second < LEAST_PER_SECOND:
        sys.exit("Slower than promised, or refused.")


async def measure() -> tuple[Figures, Figures]:
    """The five of a channel in a message, then each in a message of its own."""
    with TemporaryDirectory() as folder:
        shared = await burst(Path(folder) / "shared.db", one_message_each=False)
        print(shared)
        single = await burst(Path(folder) / "single.db", one_message_each=True)
        print(single)
    return shared, single


async def burst(
    database: Path,
    *,
    one_message_each: bool,
    channels: int = CHANNELS,
    per_channel: int = PER_CHANNEL,
    latency: float = LATENCY_SECONDS,
) -> Figures:
    """Run a bot on the new database `database`, let it post what is due, and count."""
    async with open_stage(database, rate_limits=True) as stage:
        discord, guild = stage.services.discord, stage.services.seed.guild
        ids = [discord.add_channel(guild.id, f"burst-{number}").id for number in range(channels)]
        await stage.start_bot()
        # Answered by a bot that is ready, not by one that still has its commands to register.
        await stage.command("list")
        discord.faults.delay("/channels/*/messages", latency, method="POST")
        over = asyncio.Event()
        with discord.subscribe() as events:
            await seed(stage, ids, per_channel, one_message_each=one_message_each)
            people = [
                asyncio.create_task(_slowest(act, stage, pause, over))
                for act, pause in ((_use_command, COMMAND_PAUSE_SECONDS), (_mention, MENTION_PAUSE_SECONDS))
            ]
            began = time.perf_counter()
            # What waited for the sender's next look does so for at most 15 seconds.
            stage.pass_time(15)
            posts = await _posted(events, channels * per_channel)
            seconds = time.perf_counter() - began
            over.set()
            command, mention = await asyncio.gather(*people)
        times = _times(stage, posts)
        return Figures(
            notifications=sum(len(shown(post)) for post in posts),
            messages=len(posts),
            seconds=seconds,
            per_second=(len(times) - 1) / (times[-1] - times[0]),
            busiest_second=max(bisect_left(times, start + 1) - first for first, start in enumerate(times)),
            refused=discord.refused.total(),
            slowest_command=command,
            slowest_mention=mention,
        )


async def seed(stage: Stage, channel_ids: Sequence[int], per_channel: int, *, one_message_each: bool) -> None:
    """Rows as the feed leaves them when this much is due at once, and the sender if each is to be its own message."""
    now = stage.clock.now()
    pairs = [
        (channel, FIRST_ID + n * per_channel + i) for n, channel in enumerate(channel_ids) for i in range(per_channel)
    ]
    channels = [{"channel_id": each, "guild_id": stage.services.seed.guild.id} for each in channel_ids]
    submissions = [
        {
            "id": number,
            "submission_type": "new_condition",
            "created_at": now,
            "location_id": 10**6 + number % per_channel,
            "location_name": f"Arcade {number % per_channel}",
            "city_name": "Portland",
            "machine_name": "Monster Bash",
            "comment": "Plays well.",
            "fed_at": now,
        }
        for _, number in pairs
    ]
    messages = [
        {
            "id": number,
            "channel_id": channel,
            "nonce": nonce(channel, [number]),
            "state": MessageState.PENDING,
            "next_attempt_at": now,
            "created_at": now,
        }
        for channel, number in pairs
    ]
    notifications = [
        {
            "channel_id": channel,
            "submission_id": number,
            "message_id": number if one_message_each else None,
            "state": NotificationState.PENDING,
            "due_at": now,
            "created_at": now,
        }
        for channel, number in pairs
    ]
    database = Database(stage.database_url)
    async with database.write() as session:
        await session.execute(insert(ChannelConfigRow), channels)
        await session.execute(insert(SubmissionRow), submissions)
        if one_message_each:
            await session.execute(insert(MessageRow), messages)
        await session.execute(insert(NotificationRow), notifications)
    await database.close()


async def _posted(events: asyncio.Queue[Event], notifications: int) -> list[Message]:
    """The posts that carry the seeded submissions, once all of them are there."""
    posts: list[Message] = []
    left = notifications
    while left:
        message = (await events.get()).message
        if message is not None and any(number >= FIRST_ID for number in shown(message)):
            posts.append(message)
            left -= len(shown(message))
    return posts


def _times(stage: Stage, burst: Sequence[Message]) -> list[float]:
    """When each message that needed the token was posted, from the first of the burst to its last."""
    began, ended = min(post.created_at for post in burst), max(post.created_at for post in burst)
    everything = stage.services.discord.state.messages.values()
    posts = [post.created_at for post in everything if post.author.bot and not post.is_response]
    return sorted(time.timestamp() for time in posts if began <= time <= ended)


async def _slowest(act: Callable[[Stage], Awaitable[object]], stage: Stage, pause: float, over: asyncio.Event) -> float:
    """Do it again and again until `over`; returns the longest time it took."""
    longest = 0.0
    while not over.is_set():
        began = time.perf_counter()
        await act(stage)
        longest = max(longest, time.perf_counter() - began)
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), pause)
    return longest


async def _use_command(stage: Stage) -> None:
    await stage.command("list")


async def _mention(stage: Stage) -> None:
    """A reply to words is a post as any other, so that it waits for its turn."""
    services = stage.services
    asked = await services.discord.say(
        stage.member_id, services.seed.news.id, f"{services.discord.state.bot.mention} list"
    )
    await services.discord.wait_for_message(
        services.seed.news.id, lambda message: message.author.bot and message.id > asked.id
    )


if __name__ == "__main__":
    asyncio.run(main())
