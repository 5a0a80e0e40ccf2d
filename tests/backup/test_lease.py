"""One bot at a time on one replica, on every kind of storage."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from dispinmap.backup.errors import BackupError, LeaseExpired, LeaseLost, StorageRefused
from dispinmap.backup.lease.lease import Lease
from dispinmap.backup.lease.open import open_lease
from dispinmap.backup.models import Replica, StorageKind
from dispinmap.backup.storage.open import open_store
from tests.backup.conftest import PROJECT, StoragePlace, storage_place
from tests.backup.gate import gate_before
from tests.fakes.clock import ManualClock

SECONDS = 10.0
PATIENCE = 60
HEARTBEAT = datetime(2026, 3, 1, 11, tzinfo=UTC)
T = TypeVar("T")


def bots(replica: Replica, clock: ManualClock, *, patience: float = 5.0) -> Callable[..., Lease]:
    """Makes a lease for each bot that wants the replica; opening one client for all of them saves time."""
    return partial(open_lease, replica, open_store(replica, seconds=patience), clock, seconds=SECONDS)


async def ends(task: "asyncio.Task[T]", clock: ManualClock, step: float = 0.25) -> T:
    """Let time pass until the task has ended."""
    async with asyncio.timeout(PATIENCE):
        while not task.done():
            clock.advance(step)
            await asyncio.wait({task}, timeout=0.01)
    return task.result()


async def becomes(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.wait({asyncio.create_task(asyncio.sleep(0.01))})


@pytest.fixture(params=[StorageKind.GCS, StorageKind.S3])
def server_place(request: pytest.FixtureRequest, tmp_path: Path) -> StoragePlace:
    """Storage that has a server."""
    return storage_place(request.param, request, tmp_path)


async def test_the_first_holder_finds_no_record_and_the_next_one_does(place: StoragePlace, clock: ManualClock) -> None:
    bot = bots(place.replica, clock)
    first, second, third = bot(), bot(), bot()
    assert await first.acquire() is None
    await first.record(writer=first.holder)
    await first.record(heartbeat_at=HEARTBEAT)
    await first.release()
    before = await second.acquire()
    assert before is not None
    assert (before.holder, before.writer, before.heartbeat_at) == (first.holder, first.holder, HEARTBEAT)
    assert before.released
    await second.release()
    after = await third.try_acquire()
    assert after is not None
    assert (after.holder, after.writer, after.heartbeat_at) == (second.holder, first.holder, HEARTBEAT)
    await third.release()


async def test_the_second_waits_saying_for_whom_until_the_first_releases(
    place: StoragePlace, clock: ManualClock
) -> None:
    bot = bots(place.replica, clock)
    first, second = bot(holder="first"), bot()
    await first.acquire()
    waiting = asyncio.create_task(second.acquire())
    await becomes(lambda: "in use by the bot first" in (second.waiting_for or ""))
    with pytest.raises(LeaseLost, match="in use by the bot first"):
        await bot().try_acquire()
    await first.release()
    await ends(waiting, clock)
    assert second.waiting_for is None
    await second.release()


async def test_who_keeps_it_has_it_for_ever(place: StoragePlace, clock: ManualClock) -> None:
    bot = bots(place.replica, clock)
    first, second = bot(), bot()
    await first.acquire()
    keeping, waiting = asyncio.create_task(first.keep()), asyncio.create_task(second.acquire())
    # The waiting bot, the holder and, if the lease expires, the check for that.
    idle = 2 if place.replica.kind is StorageKind.FILE else 3
    for _ in range(int(3 * SECONDS / 0.5)):
        # No time passes on the clock during a renewal, however long it really takes.
        await becomes(lambda: keeping.done() or clock.asleep == idle)
        clock.advance(0.5)
    assert [task.done() for task in (keeping, waiting)] == [False, False]
    keeping.cancel()
    await first.release()
    await ends(waiting, clock)
    await second.release()


async def test_a_lease_that_is_not_held_is_not_written(place: StoragePlace, clock: ManualClock) -> None:
    bot = bots(place.replica, clock)
    with pytest.raises(LeaseLost):
        await bot().record(writer="somebody")
    await bot().release()
    first = bot()
    assert await first.acquire() is None
    await first.release()


async def test_a_lease_that_cannot_be_read_stops_who_wants_it(place: StoragePlace, clock: ManualClock) -> None:
    bot = bots(place.replica, clock)
    await open_store(place.replica).write(place.replica.lease_path, b"what is this", replacing=None)
    for _ in range(2):
        with pytest.raises(BackupError, match=r"db\.lease is not a lease"):
            await bot().acquire()


async def test_a_missing_bucket_or_folder_stops_who_wants_it(
    place: StoragePlace, clock: ManualClock, tmp_path: Path
) -> None:
    path = str(tmp_path / "unmounted" / "db") if place.replica.kind is StorageKind.FILE else place.replica.path
    with pytest.raises(StorageRefused, match=r"create"):
        await bots(replace(place.replica, path=path, bucket=place.replica.bucket and "no-such-one"), clock)().acquire()


async def test_both_formats_of_a_replica_share_one_lease(place: StoragePlace, clock: ManualClock) -> None:
    held = bots(place.replica, clock)()
    await held.acquire()
    with pytest.raises(LeaseLost):
        await bots(replace(place.replica, path=f"{place.replica.path}-v5"), clock)().try_acquire()
    await held.release()


async def test_a_silent_holder_loses_it_after_its_time(server_place: StoragePlace, clock: ManualClock) -> None:
    bot = bots(server_place.replica, clock)
    first, second = bot(), bot()
    await first.acquire()
    began = clock.monotonic()
    waiting = asyncio.create_task(second.acquire())
    await ends(waiting, clock)
    assert clock.monotonic() - began >= SECONDS
    with pytest.raises(LeaseLost, match=second.holder):
        await first.regain()
    with pytest.raises(LeaseLost):
        await first.record(writer=first.holder)
    await second.release()


@asynccontextmanager
async def held_over_a_gate(
    place: StoragePlace, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, server: str
) -> AsyncIterator[tuple[Lease, Callable[[], None], Callable[[], None]]]:
    """A lease that is held, and how to cut its server off and to connect it again."""
    async with gate_before(server) as (gate, address):
        with monkeypatch.context() as environment:
            environment.setenv("STORAGE_EMULATOR_HOST", address)
            held = bots(replace(place.replica, endpoint=address), clock)()
            await held.acquire()
        yield held, gate.shut, gate.reopen


@pytest.fixture
def server(server_place: StoragePlace) -> str:
    return server_place.replica.endpoint or os.environ["STORAGE_EMULATOR_HOST"]


async def test_an_outage_makes_the_holder_give_up_in_time(
    server_place: StoragePlace, server: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with held_over_a_gate(server_place, clock, monkeypatch, server) as (held, shut, reopen):
        shut()
        began = clock.monotonic()
        with pytest.raises(LeaseExpired, match=r"could not be renewed in 7\.5 seconds"):
            await ends(asyncio.create_task(held.keep()), clock)
        assert clock.monotonic() - began < SECONDS
        regaining = asyncio.create_task(held.regain())
        clock.advance(5 * SECONDS)
        await asyncio.wait({regaining}, timeout=0.05)
        assert not regaining.done()
        reopen()
        await ends(regaining, clock)
        await held.record(writer=held.holder)
        await held.release()


async def test_after_an_outage_in_which_another_took_it_it_is_lost(
    server_place: StoragePlace, server: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with held_over_a_gate(server_place, clock, monkeypatch, server) as (held, shut, reopen):
        shut()
        with pytest.raises(LeaseExpired):
            await ends(asyncio.create_task(held.keep()), clock)
        other = bots(server_place.replica, clock)(holder="other")
        await ends(asyncio.create_task(other.acquire()), clock)
        reopen()
        with pytest.raises(LeaseLost, match="in use by the bot other"):
            await ends(asyncio.create_task(held.regain()), clock)
        await other.release()


async def test_who_waits_waits_for_the_storage_too(
    server_place: StoragePlace, server: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with gate_before(server) as (gate, address):
        gate.shut()
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        waiter = bots(replace(server_place.replica, endpoint=address), clock, patience=1.0)()
        waiting = asyncio.create_task(waiter.acquire())
        await becomes(lambda: "check the network" in (waiter.waiting_for or ""))
        gate.reopen()
        assert await ends(waiting, clock) is None
        await waiter.release()


@pytest.fixture
def file_replica(tmp_path: Path) -> Replica:
    return Replica(StorageKind.FILE, str(tmp_path / "db"))


def take_away(file: Path, *, replaced: bool) -> None:
    file.unlink()
    if replaced:
        file.write_bytes(b"{}")


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_lock_file_that_is_taken_away_is_a_lost_lease(
    file_replica: Replica, clock: ManualClock, *, replaced: bool
) -> None:
    held = bots(file_replica, clock)()
    await held.acquire()
    take_away(Path(file_replica.lease_path), replaced=replaced)
    with pytest.raises(LeaseLost, match="deleted or replaced"):
        await ends(asyncio.create_task(held.keep()), clock)
    with pytest.raises(LeaseLost):
        await held.regain()
    await held.release()


@pytest.mark.parametrize("set_back_seconds", [0, 3600])
async def test_a_noted_heartbeat_is_soon_in_the_lock_file_even_with_a_clock_set_back(
    file_replica: Replica, clock: ManualClock, set_back_seconds: float
) -> None:
    held = bots(file_replica, clock)()
    await held.acquire()
    acquired_at = clock.now()
    clock.advance(-set_back_seconds)
    held.note(HEARTBEAT)
    keeping = asyncio.create_task(held.keep())
    file = Path(file_replica.lease_path)

    def noted() -> bool:
        clock.advance(1)
        return HEARTBEAT.strftime("%H:%M").encode() in file.read_bytes()

    await becomes(noted)
    assert clock.now() < acquired_at or not set_back_seconds
    keeping.cancel()
    await held.release()


async def test_a_lock_file_keeps_its_size_in_case_the_disk_fills_up(file_replica: Replica, clock: ManualClock) -> None:
    def size() -> int:
        return Path(file_replica.lease_path).stat().st_size

    held = bots(file_replica, clock)()
    await held.acquire()
    before = size()
    await held.record(writer=held.holder, heartbeat_at=HEARTBEAT)
    await held.release()
    assert size() == before


@asynccontextmanager
async def holder_process(replica: Replica, holder: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that waits for the lease and keeps it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.backup.lease_holder", replica.path, holder),
        cwd=PROJECT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def says(process: asyncio.subprocess.Process, word: bytes, seconds: float) -> None:
    assert process.stdout is not None
    async with asyncio.timeout(seconds):
        while word not in (line := await process.stdout.readline()):
            assert line, "it ended"


async def test_a_killed_holder_of_a_file_frees_the_lease_at_once(file_replica: Replica, clock: ManualClock) -> None:
    third = bots(file_replica, clock)()
    async with holder_process(file_replica, "first") as first:
        await says(first, b"held", PATIENCE)
        with pytest.raises(LeaseLost, match="in use by the bot first"):
            await third.try_acquire()
        async with holder_process(file_replica, "second") as second:
            await says(second, b"waiting_for_lease", PATIENCE)
            first.kill()
            # A quarter of a second and what a busy disk takes; the time that the record names is a minute.
            await says(second, b"held", 30)
    before = await third.try_acquire()
    await third.release()
    assert before is not None
    assert (before.holder, before.writer, before.released) == ("second", "second", False)
