"""A revision happens completely or not at all."""

import shutil
from itertools import count
from pathlib import Path

import pytest
from alembic import command
from alembic.util import CommandError
from sqlalchemy import Engine, event

from dispinmap.database.chain import alembic_config
from dispinmap.database.engine import sync_engine
from dispinmap.database.revisions import LEGACY_REVISION, head
from dispinmap.database.upgrade import upgrade
from dispinmap.database.verify import revision, verify
from tests.migrations import legacy
from tests.migrations.legacy import rows, schema

SPACING = 17
"""Every so many statements the upgrade is broken off; enough to hit every kind of revision."""

ROWS = "SELECT * FROM monitoring_targets ORDER BY id"


class BrokenOff(Exception):
    """The power went."""


def run(path: Path, *, until: int | None = None) -> int:
    """Upgrade to head, at most `until` statements of it; how many there were."""
    engine = sync_engine(f"sqlite:///{path}", migrating=True)
    statements = count()
    done = 0

    @event.listens_for(Engine, "before_cursor_execute")
    def _count(*_: object) -> None:
        nonlocal done
        done = next(statements)
        if done == until:
            raise BrokenOff

    config = alembic_config()
    config.attributes["connection"] = engine
    try:
        command.upgrade(config, "head")
    finally:
        event.remove(Engine, "before_cursor_execute", _count)
        engine.dispose()
    return done


@pytest.fixture(scope="module")
def stamped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = legacy.create(tmp_path_factory.mktemp("legacy") / "stamped.db")
    command.stamp(alembic_config(f"sqlite:///{path}"), LEGACY_REVISION)
    return path


@pytest.fixture(scope="module")
def by_revision(stamped: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str | None, object]:
    """The schema and the targets as they are at each revision of an upgrade that nothing disturbs."""
    path = Path(shutil.copy(stamped, tmp_path_factory.mktemp("steps") / "steps.db"))
    states: dict[str | None, object] = {}
    while True:
        states[revision(f"sqlite:///{path}")] = (schema(path), rows(path, ROWS))
        if head() in states:
            return states
        command.upgrade(alembic_config(f"sqlite:///{path}"), "+1")


def test_an_upgrade_interrupted_anywhere_leaves_a_complete_revision_and_can_continue(
    stamped: Path, by_revision: dict[str | None, object], tmp_path: Path
) -> None:
    statements = run(Path(shutil.copy(stamped, tmp_path / "undisturbed.db")))
    stopped_at = set()
    for until in range(1, statements, SPACING):
        path = Path(shutil.copy(stamped, tmp_path / f"{until}.db"))
        with pytest.raises(BrokenOff):
            run(path, until=until)
        here = revision(f"sqlite:///{path}")
        stopped_at.add(here)
        assert (schema(path), rows(path, ROWS)) == by_revision[here]
        upgrade(f"sqlite:///{path}")
        assert (schema(path), rows(path, ROWS)) == by_revision[head()]
        assert verify(f"sqlite:///{path}") == []
    assert len(stopped_at) > len(by_revision) / 2


def test_a_revision_that_would_leave_a_broken_reference_is_undone(stamped: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(stamped, tmp_path / "broken.db"))
    config = alembic_config(f"sqlite:///{path}")
    command.upgrade(config, "44c3249cce07")
    legacy.write(path, "DELETE FROM channel_configs WHERE channel_id = 11")
    with pytest.raises(CommandError, match=r"was undone: monitoring_targets refers to .* channel_configs .* many: 4"):
        command.upgrade(config, "+1")
    assert revision(f"sqlite:///{path}") == "44c3249cce07"
    assert "submissions" not in schema(path)
