"""Litestream 0.5: transactions with numbers, and a control socket that knows them."""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import aiohttp

from dispinmap.backup.litestream.dialect import Line, Progress
from dispinmap.backup.litestream.documents import LOGGING
from dispinmap.backup.models import Configuration, Format, RestorePoint
from dispinmap.clock import Clock

SHUTDOWN_SYNC: Final = "5s"
"""The default of 30 s is longer than Cloud Run, for one, waits before it kills."""
SOCKET: Final = "s"
SNAPSHOT_LEVEL: Final = 9
ASK_AGAIN_SECONDS: Final = 0.1
ANSWER_SECONDS: Final = 30.0


class V05:
    """Litestream 0.5."""

    format: Format = Format.V0_5
    list_command: tuple[str, ...] = ("ltx", "-level", "all", "-json")
    # 0.5.17 leaves pages out, without a word, where it is asked to look at the database (see SocketProgress) while
    # SQLite checkpoints. It does that itself as soon as the log is long.
    bears_checkpoints: bool = False
    routine: frozenset[str] = frozenset()

    def environment(self) -> dict[str, str]:
        """AWS_CA_BUNDLE keeps 0.5.17 from starting; Go's own SSL_CERT_FILE says the same and works."""
        environment = dict(os.environ)
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
    """Asks Litestream. On an idle database that costs no request to the storage."""

    def __init__(self, database: Path, clock: Clock) -> None:
        self._database = str(database.absolute())
        self._socket: str | None = None
        self._clock = clock

    def began(self, folder: Path) -> None:
        self._socket = str(folder / SOCKET)

    def heard(self, line: Line) -> None:
        """The log has nothing that the socket does not tell better."""

    async def caught_up(self, *, hurry: bool) -> None:
        goal: int | None = None
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        while self._socket is None:
            await self._clock.sleep(ASK_AGAIN_SECONDS)
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(self._socket), timeout=timeout) as session:
            while True:
                local, replicated = await self._sync(session, wait=hurry)
                # The first answer comes from a look at the database after our call; zero is no transaction.
                goal = goal or local
                if goal and replicated >= goal:
                    return
                await self._clock.sleep(ASK_AGAIN_SECONDS)

    async def _sync(self, session: aiohttp.ClientSession, *, wait: bool) -> tuple[int, int]:
        """The newest transaction here and in the replica; zeros where Litestream could not tell."""
        question = {"path": self._database, "wait": wait, "timeout": int(ANSWER_SECONDS)}
        try:
            async with session.post("http://litestream/sync", json=question) as response:
                answer = await response.json()
        except (TimeoutError, ValueError, aiohttp.ClientError):
            # Starting, or dead and soon started again, or its storage does not answer.
            return 0, 0
        return int(answer.get("txid", 0)), int(answer.get("replicated_txid", 0))
