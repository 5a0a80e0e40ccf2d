"""The real bot on simcord's Discord, with a neighbour in memory behind it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import discord
import pytest
import simcord

from dispinmap.discordbot.bot import DisPinMapBot
from dispinmap.discordbot.services import CheckResult, Services
from dispinmap.health import HealthReport, QueueState
from tests.fakes.clock import ManualClock
from tests.fakes.target_service import FakeTargetService

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def healthy() -> HealthReport:
    return HealthReport(
        NOW, NOW, True, NOW, None, NOW, QueueState(), {"ok": 7}, 0, {"feed": "running"}, 0, "abc", "abc", None
    )


@dataclass
class Checks:
    """Answers `/check` and `/monitor_health`, and what `/list` asks of the feed."""

    result: CheckResult = field(default_factory=lambda: CheckResult(0))
    report: HealthReport = field(default_factory=healthy)
    read_at: datetime | None = NOW
    asked: list[int] = field(default_factory=list)

    async def check(self, channel_id: int) -> CheckResult:
        self.asked.append(channel_id)
        return self.result

    async def health(self) -> HealthReport:
        return self.report

    async def feed_read_at(self) -> datetime | None:
        return self.read_at


@dataclass
class World:
    """One server with a channel, a person who manages it and one who does not."""

    env: simcord.Env
    bot: DisPinMapBot
    targets: FakeTargetService
    channel: simcord.ChannelHandle
    admin: simcord.MemberActor
    member: simcord.MemberActor
    checks: Checks
    failures: list[int]
    clock: ManualClock

    async def slash(self, command: str, /, **options: object) -> simcord.ResponseMessage:
        """What the admin gets for a slash command."""
        result = await self.admin.slash(self.channel, command, **options)
        assert result.response is not None
        return result.response

    async def say(self, text: str) -> discord.Message:
        """What the bot answers to the admin's message."""
        said = await self.admin.send(self.channel, text)
        return next(one for one in self.channel.history() if one.id > said.id)

    @property
    def mention(self) -> str:
        assert self.bot.user is not None
        return self.bot.user.mention

    def expect_errors(self) -> list[BaseException]:
        """The errors the bot has handled so far; simcord would otherwise fail the test for them."""
        return self.env.errors


@pytest.fixture
def options() -> dict[str, Any]:
    """Overridden by tests that run the bot with other settings."""
    return {"command_prefix": "!"}


@pytest.fixture
def targets() -> FakeTargetService:
    return FakeTargetService()


@pytest.fixture
def checks() -> Checks:
    return Checks()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def failures() -> list[int]:
    """One entry for every unexpected failure."""
    return []


@pytest.fixture
def simcord_bot(
    targets: FakeTargetService, checks: Checks, failures: list[int], clock: ManualClock, options: dict[str, Any]
) -> DisPinMapBot:
    services = Services(
        targets=targets,
        check=checks.check,
        health=checks.health,
        feed_read_at=checks.feed_read_at,
        clock=clock,
        failed=lambda: failures.append(1),
        **options,
    )
    return DisPinMapBot(services, shard_count=1)


@pytest.fixture
async def world(
    simcord_env: simcord.Env,
    simcord_bot: DisPinMapBot,
    targets: FakeTargetService,
    checks: Checks,
    failures: list[int],
    clock: ManualClock,
) -> World:
    guild = simcord_env.create_guild()
    channel = guild.create_text_channel("pinball")
    managers = guild.create_role("managers", permissions=discord.Permissions(manage_channels=True))
    admin = guild.add_member(simcord_env.create_user("ada"), roles=[managers])
    member = guild.add_member(simcord_env.create_user("ben"))
    await simcord_env.settle()
    return World(simcord_env, simcord_bot, targets, channel, admin, member, checks, failures, clock)
