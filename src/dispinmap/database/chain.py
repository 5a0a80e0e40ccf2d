"""The revisions this code carries."""

from functools import cache
from pathlib import Path
from typing import Final

from alembic.config import Config
from alembic.script import ScriptDirectory

from dispinmap.database.errors import DatabaseError

MIGRATIONS: Final = Path(__file__).with_name("migrations")


@cache
def scripts() -> ScriptDirectory:
    """Every revision; read once, as they do not change while the code runs."""
    return ScriptDirectory(str(MIGRATIONS))


@cache
def head() -> str:
    """The revision this code needs."""
    found = scripts().get_current_head()
    if found is None:
        raise DatabaseError("This installation has no revisions: install it again.")
    return found


def alembic_config(url: str | None = None) -> Config:
    """Settings for `alembic.command` without alembic.ini, so that an installed wheel can migrate too."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["url"] = url
    return config
