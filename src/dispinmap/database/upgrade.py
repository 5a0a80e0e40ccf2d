"""Bringing a database to the schema that this code needs."""

import structlog
from sqlalchemy import column, insert, select, table

from dispinmap.database.engine import sync_engine
from dispinmap.database.errors import DatabaseError
from dispinmap.database.lock import one_change_at_a_time
from dispinmap.database.progress import OnProgress, silent
from dispinmap.database.recognition import columns_of, recognise
from dispinmap.database.revisions import LEGACY_REVISION, head
from dispinmap.database.safety import safety_net
from dispinmap.database.tables import UNKNOWN_GUILD
from dispinmap.database.verify import revision, verify

log = structlog.get_logger(__name__)

# Not the models, because `give_channels` runs before the revisions that create their columns.
_channels = table("channel_configs", column("channel_id"), column("guild_id"))
_targets = table("monitoring_targets", column("channel_id"))


def upgrade(url: str, *, progress: OnProgress = silent, checked: bool = False) -> None:
    """Bring the database at `url` to head, creating or stamping it if needed, and verify it.

    `url` is a synchronous SQLAlchemy URL. Every revision is one transaction: after a crash, call this again. An SQLite
    file is copied before it is changed; if the result is wrong, the copy is put back. Pass `checked` if every page of
    the file was just read and checked: then this does not read them all again unless it changes something.
    Raises DatabaseError if the database is of another origin, newer than this code, or wrong afterwards.
    """
    with one_change_at_a_time(url):
        before = recognise(revision(url), _columns(url))
        with safety_net(url, before if before != head() else None, progress):
            if before not in (None, LEGACY_REVISION):
                give_channels(url)
            if before != head():
                from dispinmap.database.chain import climb  # noqa: PLC0415 -- it imports Alembic

                climb(url, before, progress)
            problems = verify(url, progress=progress, integrity=not (checked and before == head()))
            if problems:
                raise DatabaseError(f"The database is not what this version needs: {' '.join(problems)}")
    if before != head():
        log.info("database_upgraded", before=before, after=head())


def downgrade(url: str, to: str, *, progress: OnProgress = silent) -> None:
    """Take the database at `url` back to the revision `to`, which can be relative as in Alembic: "-1".

    The file is copied first, and the copy is put back if anything goes wrong.
    Raises DatabaseError if there is no way back to that revision.
    """
    from dispinmap.database.chain import descend  # noqa: PLC0415 -- it imports Alembic

    with one_change_at_a_time(url):
        before = recognise(revision(url), _columns(url))
        if before is None:
            raise DatabaseError("There is no database to downgrade: check the path.")
        with safety_net(url, before, progress):
            descend(url, to)
    log.info("database_downgraded", before=before, after=revision(url))


def give_channels(url: str) -> list[int]:
    """Create an active channel with default settings for targets whose channel has no row. Returns the channels' ids.

    Such targets come from the `sqlite3` shell, which does not enforce foreign keys.
    Only for databases past the legacy revision: the revision after it gives every channel of the original bot a row.
    """
    engine = sync_engine(url, migrating=True)
    try:
        with engine.begin() as connection:
            missing = select(_targets.c.channel_id).where(_targets.c.channel_id.not_in(select(_channels.c.channel_id)))
            given = list(connection.scalars(missing.distinct()))
            if given:
                rows = [{"channel_id": channel_id, "guild_id": UNKNOWN_GUILD} for channel_id in given]
                connection.execute(insert(_channels), rows)
    finally:
        engine.dispose()
    if given:
        log.warning("channels_of_handmade_targets_created", channel_ids=given)
    return given


def _columns(url: str) -> dict[str, set[str]]:
    engine = sync_engine(url, keep_journal_mode=True)
    try:
        with engine.connect() as connection:
            return columns_of(connection)
    finally:
        engine.dispose()
