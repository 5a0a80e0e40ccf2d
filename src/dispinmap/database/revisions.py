"""The revisions in this code, read without Alembic: the bot asks for them all the time and migrates almost never."""

import re
from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, column, inspect, select, table

from dispinmap.database.errors import DatabaseError

MIGRATIONS: Final = Path(__file__).with_name("migrations")
LEGACY_REVISION: Final = "6f6f6afb1af3"
UNIQUE_LOCATION_REVISION: Final = "5c8e4212f5ed"
ORIGINAL_BASELINE: Final = "68d948f60b7a"
"""The original bot's stamp on its tables in production: a revision that did nothing."""

_IDS = re.compile(r'^(?:down_)?revision(?:: [^=\n]+)? = (?:"(\w+)"|None)$', re.MULTILINE)
"""The revision and its predecessor, in the form that our template writes them."""
_VERSION = table("alembic_version", column("version_num"))


@cache
def revisions() -> dict[str, str | None]:
    """Every revision with its predecessor, read once: they do not change while the code runs."""
    found = {}
    for file in (MIGRATIONS / "versions").glob("*.py"):
        this, before = _IDS.findall(file.read_text(encoding="utf-8"))
        found[this] = before or None
    return found


@cache
def head() -> str:
    """The revision this code needs."""
    known = revisions()
    heads = known.keys() - known.values()
    if len(heads) != 1:
        raise DatabaseError("This installation has no single newest revision: install it again.")
    return heads.pop()


def stamps(connection: Connection) -> list[str]:
    """The revisions the database says it is at: one, none without a stamp, several if something went wrong."""
    if not inspect(connection).has_table("alembic_version"):
        return []
    return list(connection.scalars(select(_VERSION.c.version_num)))
