"""We believe Litestream 0.3's log about uploads, but only about looks that began after we asked."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap.backup.litestream.dialect import Line
from dispinmap.backup.litestream03.dialect import LogProgress, Position
from tests.fakes.clock import ManualClock

OURS, OTHER = "0123456789abcdef", "fedcba9876543210"


class Told:
    """What Litestream would say and leave on the disk; times are seconds since the clock's start."""

    def __init__(self, folder: Path, clock: ManualClock) -> None:
        self._folder = folder / ".bot.db-litestream"
        self._start = clock.now()
        self.progress = LogProgress(folder / "bot.db", clock)

    def copied(self, generation: str, index: int, size: int) -> None:
        wal = self._folder / "generations" / generation / "wal"
        wal.mkdir(parents=True, exist_ok=True)
        (wal / f"{index:08x}.wal").write_bytes(b"w" * size)
        (self._folder / "generation").write_text(f"{generation}\n")

    def look(self, seconds: float) -> None:
        self._say("sync", time=(self._start + timedelta(seconds=seconds)).isoformat())
        self._say("sync: ok")

    def uploaded(self, generation: str, index: int, offset: int, size: int) -> None:
        self._say("wal segment written", position=f"{generation}/{index:08x}:{offset}", sz=size)

    def began_at(self, generation: str, index: int, offset: int) -> None:
        self._say("replica sync: calc new pos", position=f"{generation}/{index:08x}:{offset}")

    def _say(self, said: str, **fields: object) -> None:
        self.progress.heard(Line("DEBUG", said, fields))


@pytest.fixture
def told(tmp_path: Path, clock: ManualClock) -> Told:
    return Told(tmp_path, clock)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_only_a_look_that_began_after_we_asked_counts(told: Told) -> None:
    told.copied(OURS, 0, 100)
    told.began_at(OURS, 0, 100)
    told.look(-1)
    asked = asyncio.ensure_future(told.progress.caught_up(hurry=True))
    await settle()
    told.look(-0.5)
    await settle()
    assert not asked.done()
    told.look(0.5)
    await asked


async def test_only_an_upload_of_the_end_or_of_the_next_log_is_enough(told: Told) -> None:
    told.copied(OURS, 0, 100)
    asked = asyncio.ensure_future(told.progress.caught_up(hurry=True))
    await settle()
    told.look(1)
    told.uploaded(OURS, 0, 0, 60)
    await settle()
    assert not asked.done()
    told.uploaded(OURS, 1, 0, 10)
    await asked


async def test_what_was_uploaded_of_another_generation_says_nothing(told: Told) -> None:
    told.copied(OURS, 0, 100)
    asked = asyncio.ensure_future(told.progress.caught_up(hurry=True))
    await settle()
    told.look(1)
    told.uploaded(OTHER, 9, 0, 5000)
    await settle()
    assert not asked.done()
    # The database began its own generation since.
    told.copied(OTHER, 9, 5000)
    told.look(2)
    await asked


def test_a_new_process_has_to_tell_anew(told: Told, tmp_path: Path) -> None:
    told.began_at(OURS, 0, 100)
    told.progress.began(tmp_path)
    assert told.progress._replica is None


POSITIONS = st.builds(Position, st.sampled_from([OURS, OTHER]), st.integers(0, 3), st.integers(0, 3))


@given(POSITIONS, POSITIONS)
def test_only_positions_of_one_generation_compare(one: Position, other: Position) -> None:
    same = one.generation == other.generation
    assert (one.holds(other) or other.holds(one)) is same
    assert (one.holds(other) and other.holds(one)) is (one == other)
