"""The revisions in this code, and running them, with Alembic."""

from collections.abc import Callable
from functools import cache, partial
from itertools import count

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from dispinmap.database.errors import DatabaseError
from dispinmap.database.progress import OnProgress, Progress
from dispinmap.database.revisions import LEGACY_REVISION, MIGRATIONS, head
from dispinmap.database.safety import prepare_new


@cache
def scripts() -> ScriptDirectory:
    """All revisions, read once: they do not change while the code runs."""
    return ScriptDirectory(str(MIGRATIONS))


def alembic_config(url: str | None = None) -> Config:
    """Settings for `alembic.command` without alembic.ini, so that an installed wheel can migrate too."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["url"] = url
    return config


def climb(url: str, before: str | None, progress: OnProgress) -> None:
    """Run the revisions from `before` (None for a new database) to head. Raises DatabaseError."""
    if before is None:
        prepare_new(url)
    config = alembic_config(url)
    if before == LEGACY_REVISION:
        _translated(partial(command.stamp, purge=True), config, LEGACY_REVISION)
    steps = [script.doc for script in scripts().iterate_revisions(head(), before or "base")][::-1]
    done = count(1)
    progress(Progress("upgrade", 0, len(steps)))
    config.attributes["after_step"] = lambda: progress(Progress("upgrade", next(done), len(steps)))
    _translated(command.upgrade, config, "head")


def descend(url: str, to: str) -> None:
    """Undo the revisions after `to`, which can be relative as in Alembic: "-1". Raises DatabaseError."""
    _translated(command.downgrade, alembic_config(url), to)


def _translated(run: Callable[[Config, str], None], config: Config, to: str) -> None:
    """Run one of Alembic's commands and translate its errors."""
    try:
        run(config, to)
    except CommandError as error:
        raise DatabaseError(str(error)) from error
    except DBAPIError as error:
        raise DatabaseError(
            f"The database cannot be changed ({error.orig}): check that its folder exists, that it is writable and "
            "that no other program has locked it, then start again."
        ) from error
