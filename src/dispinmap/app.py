"""The one place where everything is wired together."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import aiohttp
import structlog

from dispinmap.alerts.alarm import Alarm
from dispinmap.alerts.alerts import Alerts
from dispinmap.clock import Clock
from dispinmap.database.child import bring_to_head
from dispinmap.database.engine import Database
from dispinmap.database.housekeeping import Housekeeper, Retention
from dispinmap.database.lock import keep_others_out
from dispinmap.database.queries import feed, notifications, outbox
from dispinmap.database.queries.status import status
from dispinmap.database.revisions import head
from dispinmap.discordbot import cards
from dispinmap.discordbot.bot import DisPinMapBot, use_api_base
from dispinmap.discordbot.destination import DiscordDestination
from dispinmap.discordbot.services import CheckResult, Services
from dispinmap.errors import DisPinMapError
from dispinmap.feed.cursor import Cursor
from dispinmap.feed.poller import Poller
from dispinmap.geocoding.client import GeocodingClient
from dispinmap.health import CatchUp, HealthReport, Part, Vitals, judge
from dispinmap.http import open_session
from dispinmap.outbox.counting import CountingDestination
from dispinmap.outbox.sender import Sender
from dispinmap.pinballmap.client import PinballMapClient
from dispinmap.pinballmap.errors import PinballMapError
from dispinmap.settings import Settings
from dispinmap.supervision import supervise
from dispinmap.targets.service import TargetService
from dispinmap.web.server import ANY_HOST, serving

if TYPE_CHECKING:
    from dispinmap.backup.service import Backup

log = structlog.get_logger(__name__)


CLOSE_SECONDS = 2.0
"""How long logging out of Discord may take. The platform grants 10 seconds for the whole stop."""


async def run(settings: Settings, clock: Clock, *, web_host: str = ANY_HOST) -> None:
    """Bring the database to head and run the bot, without a backup, until it is cancelled or fails for good.

    The web pages are served on `web_host` and the settings' port. Raises DatabaseError if another bot uses the file.
    """
    if settings.litestream_config or settings.litestream_replica_url or settings.litestream_bucket:
        # An operator who configured a backup expects to have one.
        log.warning("backup_left_out", cure="run `dispinmap start`: `dispinmap run` makes no backup")
    with keep_others_out(settings.database_url):
        await bring_to_head(settings.database_url)
        database = Database(settings.database_url)
        try:
            async with open_session() as session:
                application = Application(settings, clock, database, session)
                async with serving(application.report, web_host, settings.port):
                    await application.run()
        finally:
            await database.close()


class Application:
    """The bot and its loops on one database."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        database: Database,
        session: aiohttp.ClientSession,
        backup: "Backup | None" = None,
    ) -> None:
        self._settings = settings
        self._backup = backup
        self._clock = clock
        self._database = database
        self._settle_window = timedelta(seconds=settings.settle_window_seconds)
        self.vitals = Vitals(clock.now())
        token = settings.pinballmap_api_token
        self._pinballmap = PinballMapClient(
            session, settings.pinballmap_api_base, token.get_secret_value() if token else None, clock
        )
        self.bot = DisPinMapBot(
            Services(
                targets=TargetService(
                    database,
                    self._pinballmap,
                    GeocodingClient(session, settings.geocoding_api_base, clock),
                    clock,
                    settle_window=self._settle_window,
                ),
                check=self.check,
                health=self.report,
                feed_read_at=self._feed_read_at,
                clock=clock,
                failed=self.vitals.failed,
                manage_channels_required=settings.manage_channels_required,
                command_prefix=settings.command_prefix,
            )
        )
        posts = DiscordDestination(self.bot)
        self._destination = CountingDestination(posts)
        self._sender = Sender(
            database,
            self._destination,
            clock,
            cards.measure,
            settle_window=self._settle_window,
            report=self.vitals.failed,
        )
        self._poller = Poller(
            self._pinballmap,
            database,
            clock,
            shortest_interval=timedelta(seconds=settings.feed_min_interval_seconds),
            settle_window=self._settle_window,
            wake_sender=self._sender.wake,
        )
        self._housekeeper = Housekeeper(
            database,
            clock,
            Retention(
                messages=timedelta(days=settings.message_retention_days),
                submissions=timedelta(days=settings.submission_retention_days),
            ),
        )

        channel_id = settings.operator_channel_id
        alerts = Alerts(session, settings.operator_webhook_url, partial(posts.say, channel_id) if channel_id else None)
        self._alarm = Alarm(self._parts, alerts, clock)

    async def run(self) -> None:
        """Log in and serve until cancelled. Raises DisPinMapError if Discord refuses the token or the intents."""
        use_api_base(self._settings.discord_api_base)
        await self._poller.begin()
        if self._settings.pinballmap_api_token is None:
            log.warning(
                "pinballmap_token_missing", cure="set PINBALLMAP_API_TOKEN, see https://pinballmap.com/api_token"
            )
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._serve_discord(), name="discord")
                group.create_task(self._work(group), name="start-loops")
                self._supervise(group, {"alerts": self._alarm.run, **(self._backup.loops if self._backup else {})})
        except* DisPinMapError as errors:
            raise errors.exceptions[0] from None
        finally:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.bot.close(), CLOSE_SECONDS)

    async def _serve_discord(self) -> NoReturn:
        await self.bot.serve(self._settings.discord_token.get_secret_value())
        # Without a connection to Discord, the bot has nothing to do.
        raise DisPinMapError("Discord ended the connection for good: start the bot again.")

    async def _work(self, group: asyncio.TaskGroup) -> None:
        # Posting needs the login.
        await self.bot.wait_until_ready()
        self._supervise(
            group,
            {"feed": self._poller.run, "delivery": self._sender.run, "housekeeping": self._housekeeper.run},
        )

    def _supervise(self, group: asyncio.TaskGroup, loops: Mapping[str, Callable[[], Awaitable[NoReturn]]]) -> None:
        for name, loop in loops.items():
            group.create_task(supervise(name, loop, self._clock, self.vitals), name=name)

    async def check(self, channel_id: int) -> CheckResult:
        """Ask Pinball Map now, and make everything that waits for the channel due."""
        started = self._clock.now()
        problem = None
        try:
            await self._poller.check()
        except PinballMapError as error:
            problem = str(error)
        now = self._clock.now()
        async with self._database.write() as session:
            catch_up = _catch_up(await feed.cursor(session))
            await notifications.make_due(session, channel_id, now)
            new = await notifications.count_leaving(session, channel_id, started, now)
            refusal = await outbox.retry_parked(session, channel_id, now)
        self._sender.wake()
        if catch_up is not None:
            problem = problem or str(catch_up)
        if refusal is not None:
            problem = " ".join(filter(None, (problem, f"My last post here failed; I'm trying again now. {refusal}")))
        return CheckResult(new, problem)

    async def _feed_read_at(self) -> datetime | None:
        async with self._database.read() as session:
            cursor = await feed.cursor(session)
        return None if cursor is None else cursor.last_polled_at

    def _is_connected(self) -> bool:
        # `is_ready` stays true while discord.py reconnects.
        return self.bot.is_ready() and not any(shard.is_closed() for shard in self.bot.shards.values())

    async def _parts(self) -> Mapping[str, Part]:
        return judge(await self.report())

    async def report(self) -> HealthReport:
        """The state of everything now."""
        now = self._clock.now()
        async with self._database.read() as session:
            stored = await status(session, now)
        return HealthReport(
            now=now,
            started_at=self.vitals.started_at,
            gateway_connected=self._is_connected(),
            last_good_poll_at=stored.cursor.last_polled_at if stored.cursor else None,
            last_poll_problem=self._poller.problem,
            newest_submission_at=stored.newest_submission_at,
            queue=stored.queue,
            requests=dict(self._pinballmap.requests),
            malformed_rows=self._pinballmap.malformed_rows,
            loops=dict(self.vitals.loops),
            errors=self.vitals.errors,
            database_revision=stored.revision,
            head_revision=head(),
            backup=await self._backup.state() if self._backup is not None else None,
            channels=stored.channels,
            targets=stored.targets,
            watched_since=stored.watched_since,
            polls=dict(self._poller.polls),
            deliveries=dict(self._destination.outcomes),
            submissions=stored.submissions,
            notifications=stored.notifications,
            catch_up=_catch_up(stored.cursor),
        )


def _catch_up(cursor: Cursor | None) -> CatchUp | None:
    if cursor is None or cursor.reading_since is None:
        return None
    return CatchUp(cursor.created_at, cursor.progress)
