"""pytest-alembic's own checks on our chain, with the original bot's rows in the tables."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_alembic import Config
from pytest_alembic.tests import (
    test_model_definitions_match_ddl,
    test_single_head_revision,
    test_up_down_consistency,
    test_upgrade,
)
from sqlalchemy import Engine

from dispinmap.database.engine import sync_engine
from dispinmap.database.upgrade import LEGACY_REVISION
from dispinmap.database.upgrade import alembic_config as settings
from tests.migrations.legacy import TARGETS

__all__ = [
    "test_model_definitions_match_ddl",
    "test_single_head_revision",
    "test_up_down_consistency",
    "test_upgrade",
]

AFTER_LEGACY = "c49cf21c6e65"


@pytest.fixture
def alembic_config() -> Config:
    channel = {"__tablename__": "channel_configs", "guild_id": 1}
    return Config(
        alembic_config=settings(),
        minimum_downgrade_revision=LEGACY_REVISION,
        before_revision_data={
            AFTER_LEGACY: [
                {**channel, "channel_id": 11},
                {**channel, "channel_id": 12},
                *({"__tablename__": "monitoring_targets", **vars(target)} for target in TARGETS),
                {"__tablename__": "seen_submissions", "channel_id": 11, "submission_id": 1},
            ]
        },
    )


@pytest.fixture
def alembic_engine(tmp_path: Path) -> Iterator[Engine]:
    engine = sync_engine(f"sqlite:///{tmp_path / 'pytest_alembic.db'}", migrating=True)
    yield engine
    engine.dispose()
