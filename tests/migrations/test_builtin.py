"""pytest-alembic's own checks on our chain, with the original bot's rows in the tables, and rows in the newest ones."""

from collections.abc import Iterator
from datetime import datetime
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

from dispinmap.database.chain import alembic_config as settings
from dispinmap.database.engine import sync_engine
from dispinmap.database.revisions import LEGACY_REVISION
from tests.migrations.legacy import TARGETS

__all__ = [
    "test_model_definitions_match_ddl",
    "test_single_head_revision",
    "test_up_down_consistency",
    "test_upgrade",
]

AFTER_LEGACY = "c49cf21c6e65"
NOON = datetime(2026, 3, 1, 12)  # noqa: DTZ001 -- as the column stores it
SUBMISSION = {"__tablename__": "submissions", "submission_type": "new_msx", "created_at": NOON}


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
        at_revision_data={
            "9d2c71e05ab4": [{"__tablename__": "heartbeat", "id": 1, "holder": "a", "beat_at": NOON}],
            "e41f60b98d27": [
                {"__tablename__": "drills", "finished_at": NOON, "restore_seconds": 0.25, "problem": None},
                {"__tablename__": "drills", "finished_at": NOON, "problem": "The backup is not whole."},
            ],
            "c7d03b5a91e2": [{**SUBMISSION, "id": 1, "sentence": "Somebody took a picture."}],
            "f18a42c6d0b7": [{**SUBMISSION, "id": 2, "high_score": 2**62}],
        },
    )


@pytest.fixture
def alembic_engine(tmp_path: Path) -> Iterator[Engine]:
    engine = sync_engine(f"sqlite:///{tmp_path / 'pytest_alembic.db'}", migrating=True)
    yield engine
    engine.dispose()
