"""How the live schema is compared with the models, by Alembic's commands and by our own check."""

from collections.abc import Mapping
from typing import Any, Literal

from alembic.autogenerate.api import AutogenContext

from dispinmap.database.types import UtcDateTime


def _is_ours(name: str | None, kind: str, _parents: Mapping[str, str | None]) -> bool:
    """Litestream's own tables in the file are neither reported nor dropped."""
    return not (kind == "table" and name is not None and name.startswith("_litestream_"))


def _render(kind: str, item: object, _context: AutogenContext) -> str | Literal[False]:
    """Revisions spell types in plain SQLAlchemy, so that an old one never depends on today's code."""
    return "sa.DateTime()" if kind == "type" and isinstance(item, UtcDateTime) else False


COMPARISON: Mapping[str, Any] = {
    "compare_type": True,
    "compare_server_default": True,
    "include_name": _is_ours,
    "render_as_batch": True,
    "render_item": _render,
}
