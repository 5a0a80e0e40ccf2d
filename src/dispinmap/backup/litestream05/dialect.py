"""Litestream 0.5. We ask its control socket for the newest transaction and the newest replicated one."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import aiohttp

from dispinmap.backup.configuration.findings import Finding
from dispinmap.backup.litestream.dialect import Dialect, Line, Progress
from dispinmap.backup.litestream.documents import LOGGING
from dispinmap.backup.litestream05 import configuration as rules
from dispinmap.backup.models import V5_SUFFIX, Configuration, Format, RestorePoint
from dispinmap.clock import Clock

SHUTDOWN_SYNC_TIMEOUT: Final = "8s"
"""In our own configurations. 0.5's default is 30 s, but Cloud Run kills a container 10 s after it asked it to stop."""
SHUTDOWN_SYNC: Final = "5s"
"""The same for an operator's configuration that does not set it."""
SOCKET: Final = "s"
SNAPSHOT_LEVEL: Final = 9
ASK_AGAIN_SECONDS: Final = 0.1
ANSWER_SECONDS: Final = 30.0


class Litestream05(Dialect):
    """Litestream 0.5."""

    format = Format.V0_5
    # The first whose control socket can sync and answer; see the IPC reference in Litestream's documentation.
    oldest_patch = 12
    supported = f"0.5.{oldest_patch} or a later 0.5"
    list_command = ("ltx", "-level", "all", "-json")
    # 0.5.17 silently misses pages if we ask it to sync (see SocketProgress) while SQLite checkpoints. It checkpoints by
    # itself when the log gets long.
    allows_checkpoints = False
    # https://github.com/benbjohnson/litestream/issues/1270
    prunes_during_restore = True
    example = "litestream-0.5.yml"
    schema = rules.SCHEMA
    remarks = rules.REMARKS
    gcs_name = "gs"
    path_in_bucket = f"db{V5_SUFFIX}"
    single_replica = True
    reads_url_parameters = True

    def make_document(self, database: str, replica: Mapping[str, object], retention: str) -> dict[str, object]:
        return {
            "snapshot": {"interval": rules.SNAPSHOT_INTERVAL, "retention": retention},
            "shutdown-sync-timeout": SHUTDOWN_SYNC_TIMEOUT,
            "dbs": [{"path": database, "replica": {**replica}}],
        }

    def check_replica(
        self, document: Mapping[str, object], replica: Mapping[str, object], where: str
    ) -> Iterator[Finding]:
        return rules.check_replica(document, replica, where)

    def check_document(self, document: Mapping[str, object]) -> Iterator[Finding]:
        yield from rules.check_heartbeat(document)
        yield from super().check_document(document)

    def environment(self) -> dict[str, str]:
        """With AWS_CA_BUNDLE 0.5.17 does not start, so we pass its value as Go's SSL_CERT_FILE."""
        environment = super().environment()
        bundle = environment.pop("AWS_CA_BUNDLE", None)
        if bundle is not None:
            environment.setdefault("SSL_CERT_FILE", bundle)
        return environment

    def document(self, configured: Mapping[str, object], folder: Path) -> dict[str, object]:
        return {
            "shutdown-sync-timeout": SHUTDOWN_SYNC,
            **configured,
            "logging": LOGGING,
            "socket": {"enabled": True, "path": str(folder / SOCKET), "permissions": 0o600},
        }

    def points(self, answer: str) -> list[RestorePoint]:
        return [
            RestorePoint(
                None,
                file["max_txid"],
                "snapshot" if file["level"] == SNAPSHOT_LEVEL else "changes",
                file["size"],
                datetime.fromisoformat(file["timestamp"]),
            )
            for file in json.loads(answer) or ()
        ]

    def progress(self, configuration: Configuration, clock: Clock) -> Progress:
        return SocketProgress(configuration.database, clock)


class SocketProgress:
    """Asks Litestream's control socket. With an idle database that costs no request to the storage."""

    def __init__(self, database: Path, clock: Clock) -> None:
        self._database = str(database.absolute())
        self._socket: str | None = None
        self._clock = clock

    def began(self, folder: Path) -> None:
        self._socket = str(folder / SOCKET)

    def heard(self, line: Line) -> None:
        """Ignore the log line: progress comes from the control socket."""

    async def caught_up(self, *, hurry: bool) -> None:
        goal: int | None = None
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        while self._socket is None:
            await self._clock.sleep(ASK_AGAIN_SECONDS)
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(self._socket), timeout=timeout) as session:
            while True:
                local, replicated = await self._sync(session, wait=hurry)
                # The first answer includes everything committed before our call; zero means no transaction.
                goal = goal or local
                if goal and replicated >= goal:
                    return
                await self._clock.sleep(ASK_AGAIN_SECONDS)

    async def _sync(self, session: aiohttp.ClientSession, *, wait: bool) -> tuple[int, int]:
        """The newest transaction here and in the replica; zeros if Litestream does not know."""
        question = {"path": self._database, "wait": wait, "timeout": int(ANSWER_SECONDS)}
        try:
            async with session.post("http://litestream/sync", json=question) as response:
                answer = await response.json()
        except (TimeoutError, ValueError, aiohttp.ClientError):
            # It is starting, or it died and will be started again, or its storage does not answer.
            return 0, 0
        return int(answer.get("txid", 0)), int(answer.get("replicated_txid", 0))
