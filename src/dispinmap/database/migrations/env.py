"""Alembic runs this file: it says which database, and makes each revision one transaction."""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from logging.config import fileConfig

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.util import CommandError
from sqlalchemy import Connection, Engine

from dispinmap.database.engine import sync_engine
from dispinmap.database.migrations.options import COMPARISON
from dispinmap.database.tables import Base
from dispinmap.database.upgrade import LEGACY_REVISION
from dispinmap.database.verify import broken_references
from dispinmap.errors import DisPinMapError

config = context.config


@contextmanager
def _connected() -> Iterator[Connection]:
    given = config.attributes.get("connection")
    engine = given if isinstance(given, Engine) else sync_engine(_url(), migrating=True)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        if engine is not given:
            # Only when its last connection closes does SQLite move the log into the file.
            engine.dispose()


def _url() -> str:
    url = config.attributes.get("url") or os.environ.get("SQLALCHEMY_URL") or config.get_main_option("sqlalchemy.url")
    if not url:
        raise CommandError("Which database? Set SQLALCHEMY_URL, such as sqlite:///pinball_bot.db.")
    return str(url)


def _check_references(ctx: MigrationContext, step: MigrationInfo, heads: Collection[str], run_args: object) -> None:
    """The last act of a revision, before its commit. The original bot enforced no key, so its own rows are let be."""
    del run_args
    if step.is_stamp or LEGACY_REVISION in heads or ctx.connection is None:
        return
    problems = broken_references(ctx.connection)
    if problems:
        raise CommandError(f"{step} was undone: {' '.join(problems)}")


def _run() -> None:
    with _connected() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            # SQLite can, and our engine lets no driver commit on its own: a revision happens whole or not at all.
            transactional_ddl=True,
            transaction_per_migration=True,
            on_version_apply=_check_references,
            **COMPARISON,
        )
        with context.begin_transaction():
            context.run_migrations()


if config.config_file_name is not None:
    fileConfig(config.config_file_name, disable_existing_loggers=False)
if context.is_offline_mode():
    raise CommandError("Revisions that move data need the database itself: run the command without --sql.")
try:
    _run()
except DisPinMapError as error:
    raise CommandError(str(error)) from error
