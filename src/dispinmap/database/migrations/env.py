"""Alembic runs this file: it opens the database and makes each revision one transaction."""

import os
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from logging.config import fileConfig

import structlog
from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, event

from dispinmap.database.comparison import COMPARISON
from dispinmap.database.engine import sync_engine
from dispinmap.database.lock import keep_others_out
from dispinmap.database.migrations.accounting import count_rows, take_merged, unaccounted
from dispinmap.database.revisions import LEGACY_REVISION
from dispinmap.database.tables import Base
from dispinmap.database.verify import broken_references
from dispinmap.errors import DisPinMapError

config = context.config
log = structlog.get_logger()
_CHANGING = frozenset({"upgrade", "downgrade", "stamp"})


@contextmanager
def _connected() -> Iterator[Connection]:
    given = config.attributes.get("connection")
    engine = given if isinstance(given, Engine) else sync_engine(_url(), migrating=True)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        if engine is not given:
            # SQLite moves its log into the file when the last connection closes.
            engine.dispose()


def _alone() -> AbstractContextManager[None]:
    """Keep Alembic's own commands away from a file that a bot uses. Our own program has locked the file already."""
    command = getattr(config.cmd_opts, "cmd", None)
    return keep_others_out(_url()) if command and command[0].__name__ in _CHANGING else nullcontext()


def _url() -> str:
    url = config.attributes.get("url") or os.environ.get("SQLALCHEMY_URL") or config.get_main_option("sqlalchemy.url")
    if not url:
        raise CommandError("Which database? Set SQLALCHEMY_URL, such as sqlite:///pinball_bot.db.")
    return str(url)


class _RowCheck:
    """Compares the rows before and after each revision, within its transaction."""

    def __init__(self, connection: Connection) -> None:
        self._before: dict[str, int] = {}
        event.listen(connection, "begin", self._begun)

    def _begun(self, connection: Connection) -> None:
        self._before = count_rows(connection)

    def run(self, ctx: MigrationContext, step: MigrationInfo, heads: Collection[str], run_args: object) -> None:
        """Run at the end of each revision, before its commit. Raises CommandError to undo it if rows were lost."""
        del run_args
        if step.is_stamp or ctx.connection is None:
            return
        problems = self._lost_rows(ctx.connection)
        # The original bot did not enforce foreign keys, so its own rows may break them.
        if LEGACY_REVISION not in heads:
            problems += broken_references(ctx.connection)
        if problems:
            raise CommandError(f"{step} was undone: {' '.join(problems)}")
        config.attributes.get("after_step", lambda: None)()

    def _lost_rows(self, connection: Connection) -> list[str]:
        after, merged = count_rows(connection), take_merged(connection)
        if merged:
            log.info(
                "rows_merged", **{table: {"before": self._before[table], "merged": n} for table, n in merged.items()}
            )
        return unaccounted(self._before, after, merged)


def _run() -> None:
    with _connected() as connection:
        row_check = _RowCheck(connection)
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            # SQLite supports this, and our engine keeps the driver from committing: a revision is all or nothing.
            transactional_ddl=True,
            transaction_per_migration=True,
            on_version_apply=row_check.run,
            **COMPARISON,
        )
        with context.begin_transaction():
            context.run_migrations()


if config.config_file_name is not None:
    fileConfig(config.config_file_name, disable_existing_loggers=False)
if context.is_offline_mode():
    raise CommandError("Revisions that move data need the database itself: run the command without --sql.")
try:
    with _alone():
        _run()
except DisPinMapError as error:
    raise CommandError(str(error)) from error
