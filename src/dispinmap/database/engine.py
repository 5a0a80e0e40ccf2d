"""Opening the database. The driver never begins or commits a transaction by itself: we do, around DDL too."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from dispinmap.database.errors import DatabaseError

BUSY_TIMEOUT_MS = 5000
CLOSE_SECONDS = 2.0
CACHE_KIB = 512
"""Of each connection's page cache, which fills up over time and is never given back. SQLite's default is 2,000."""
_MODE = "dispinmap_mode"
_READ, _WRITE = "read", "write"

P = ParamSpec("P")
T = TypeVar("T")


def uninterrupted(method: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Make a cancellation wait until `method` has finished.

    If it interrupted a statement or the opening of a connection, the pool would lose the connection and leave it open.
    """

    @wraps(method)
    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        task = asyncio.ensure_future(method(*args, **kwargs))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task})
            raise

    return run


class Database:
    """Sessions on one database. Leaving the block of `write` without an error commits."""

    def __init__(self, url: str, *, checkpoints: bool = True) -> None:
        """`url` is a synchronous SQLAlchemy URL such as "sqlite:///pinball_bot.db".

        Without `checkpoints` another program, such as Litestream, has to move SQLite's log into the file. Errors show
        statements but never their values, which people typed.
        """
        self.url = url
        self._engine: AsyncEngine = create_async_engine(_async_url(url), hide_parameters=True)
        _prepare(self._engine.sync_engine, checkpoints=checkpoints)
        self._reading = self._sessions(_READ)
        self._writing = self._sessions(_WRITE)
        # SQLite does not queue its writers, so one of many can exceed its busy timeout. With this lock they take turns.
        self._writer = asyncio.Lock()
        self._open = 0
        self._closing = False
        self._idle = asyncio.Event()
        self._idle.set()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """One consistent view; SQLite refuses changes in it."""
        with self._in_use():
            async with self._reading() as session:
                yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """One transaction. It takes SQLite's write lock at its start, so that it cannot fail half-way without it."""
        with self._in_use():
            async with self._writer, self._writing() as session, session.begin():
                yield session

    async def close(self) -> None:
        """Wait up to `CLOSE_SECONDS` for open sessions to end, then close every connection."""
        self._closing = True
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), CLOSE_SECONDS)
        await self._engine.dispose()

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        if self._closing:
            raise DatabaseError("The database is closed because the bot is stopping: ask again when it is back.")
        self._open += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._open -= 1
            if not self._open:
                self._idle.set()

    def _sessions(self, mode: str) -> async_sessionmaker[AsyncSession]:
        return async_sessionmaker(self._engine.execution_options(**{_MODE: mode}), expire_on_commit=False)


def sync_engine(url: str, *, migrating: bool = False, keep_journal_mode: bool = False) -> Engine:
    """A synchronous engine for checks and migrations, with the same connection settings.

    With `keep_journal_mode`, an SQLite file is not switched to WAL, so that a file that is not ours stays as it is.
    With `migrating`, transactions take the write lock at their start, and foreign keys are off: rebuilding a table
    drops it first, and SQLite ignores the switch inside a transaction. The migration checks the keys before its commit.
    """
    engine = create_engine(url, hide_parameters=True)
    _prepare(engine, foreign_keys=not migrating, wal=not keep_journal_mode)
    return engine.execution_options(**{_MODE: _WRITE}) if migrating else engine


def _async_url(url: str) -> str:
    parsed = make_url(url)
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        parsed = parsed.set(drivername="sqlite+aiosqlite")
    return parsed.render_as_string(hide_password=False)


def _prepare(engine: Engine, *, foreign_keys: bool = True, wal: bool = True, checkpoints: bool = True) -> None:
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _on_connect(connection: DBAPIConnection, _record: object) -> None:
        # Without this, the driver commits before DDL and begins transactions by itself.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        if wal:
            cursor.execute("PRAGMA journal_mode = WAL")
        if not checkpoints:
            cursor.execute("PRAGMA wal_autocheckpoint = 0")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        cursor.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        mode = connection.get_execution_options().get(_MODE)
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if mode == _READ else 'OFF'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if mode == _WRITE else "BEGIN")
