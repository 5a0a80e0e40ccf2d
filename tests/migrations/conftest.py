"""Databases to migrate."""

from pathlib import Path

import pytest

from tests.migrations import legacy


@pytest.fixture
def legacy_file(tmp_path: Path) -> Path:
    return legacy.create(tmp_path / "legacy.db")
