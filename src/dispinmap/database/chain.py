"""The revisions in this code, loaded with Alembic."""

from functools import cache

from alembic.config import Config
from alembic.script import ScriptDirectory

from dispinmap.database.revisions import MIGRATIONS


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
