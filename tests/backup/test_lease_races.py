"""Two bots never hold an object lease at once, even if requests and answers get lost."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispinmap.backup.errors import Conflict, LeaseExpired, LeaseLost, StorageRefused, StorageUnreachable
from dispinmap.backup.lease.object_lease import ObjectLease
from dispinmap.backup.lease.record import decode
from dispinmap.backup.models import LeaseRecord
from tests.backup.memory_store import MemoryStore, Network, Objects
from tests.fakes.clock import ManualClock

SECONDS = 10.0
STEP = 0.5
NAME = "memory://db.lease"
HEARTBEAT = datetime(2026, 3, 1, 11, tzinfo=UTC)


class Contender:
    """A bot on its own machine, with its own time of day and network."""

    def __init__(self, number: int, objects: Objects) -> None:
        self.clock = ManualClock(datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(days=number))
        self.store = MemoryStore(objects)
        self.number = number
        self.lives = 0
        self.holds = False
        self.held = 0
        self.task: asyncio.Task[None] | None = None
        self.lease = self._lease()

    def _lease(self) -> ObjectLease:
        self.lives += 1
        holder = f"{self.number}.{self.lives}"
        return ObjectLease(NAME, "db.lease", self.store, self.clock, seconds=SECONDS, holder=holder)

    def start(self) -> None:
        if self.task is None or self.task.done():
            self.lease = self._lease()
            self.task = asyncio.create_task(self._live(self.lease))

    async def crash(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait({self.task})

    async def stop(self) -> None:
        await self.crash()
        await self.lease.release()

    async def _live(self, lease: ObjectLease) -> None:
        await lease.acquire()
        with suppress(LeaseLost):
            while True:
                self.holds, self.held = True, self.held + 1
                try:
                    await lease.keep()
                except LeaseExpired:
                    self.holds = False
                    await lease.regain()
                finally:
                    self.holds = False


class SleepingMachine(ManualClock):
    """While it sleeps its clock goes on, but not its timers."""

    def fall_asleep(self, seconds: float) -> None:
        slept = timedelta(seconds=seconds)
        self._now += slept
        self._sleepers = [(at + slept, wake) for at, wake in self._sleepers]


async def settle() -> None:
    for _ in range(15):
        await asyncio.sleep(0)


async def pass_time(contenders: list[Contender], seconds: float) -> None:
    for _ in range(int(seconds / STEP)):
        for contender in contenders:
            contender.clock.advance(STEP)
        await settle()
        assert sum(contender.holds for contender in contenders) <= 1


async def act(contenders: list[Contender], event: str, number: int, network: Network) -> None:
    contender = contenders[number]
    match event:
        case "network":
            contender.store.network = network
        case "arrive":
            contender.store.objects.let_through()
        case "start":
            contender.start()
        case "crash":
            await contender.crash()
        case "stop":
            await contender.stop()


events = st.tuples(
    st.sampled_from(["network", "network", "arrive", "start", "start", "crash", "stop"]),
    st.integers(0, 2),
    st.sampled_from(Network),
    st.sampled_from([0.0, 0.5, 2.0, 6.0, 15.0]),
)


@settings(max_examples=40)
@given(st.lists(events, max_size=20))
def test_two_never_hold_it_together_and_in_the_end_somebody_does(script: list[tuple[str, int, Network, float]]) -> None:
    async def play() -> None:
        objects = Objects()
        contenders = [Contender(number, objects) for number in range(3)]
        for event, number, network, seconds in script:
            await act(contenders, event, number, network)
            await settle()
            await pass_time(contenders, seconds)
        for contender in contenders:
            contender.store.network = Network.UP
            contender.start()
        await pass_time(contenders, 2 * SECONDS)
        assert sum(contender.holds for contender in contenders) == 1
        for contender in contenders:
            await contender.crash()

    asyncio.run(play())


def lease(store: MemoryStore, clock: ManualClock, holder: str) -> ObjectLease:
    return ObjectLease(NAME, "db.lease", store, clock, seconds=SECONDS, holder=holder)


def stored(store: MemoryStore) -> LeaseRecord:
    return decode(store.objects.contents["db.lease"].data, NAME)


async def wind(clock: ManualClock, task: "asyncio.Task[object]", limit: float) -> None:
    """Let time pass until the task has ended, `limit` seconds at most."""
    for _ in range(int(limit / STEP)):
        await settle()
        if task.done():
            return
        clock.advance(STEP)
    raise AssertionError(f"still running after {limit:g} seconds")


@pytest.mark.parametrize("network", [Network.DEAF, Network.SLOW])
async def test_taking_it_whose_answer_was_lost_returns_what_stood_before(network: Network, clock: ManualClock) -> None:
    store = MemoryStore()
    first = lease(store, clock, "first")
    await first.acquire()
    await first.record(writer="first", heartbeat_at=HEARTBEAT)
    await first.release()
    second = lease(store, clock, "second")
    reading = store.read

    async def read_then_lose(key: str) -> object:
        content = await reading(key)
        store.network, store.read = network, reading  # type: ignore[method-assign]
        return content

    store.read = read_then_lose  # type: ignore[method-assign,assignment]
    acquiring = asyncio.create_task(second.acquire())
    await settle()
    assert second.waiting_for == "The storage did not answer."
    store.objects.let_through()
    store.network = Network.UP
    await wind(clock, acquiring, 2)
    before = acquiring.result()
    assert before is not None
    assert (before.holder, before.writer, before.heartbeat_at) == ("first", "first", HEARTBEAT)
    assert (stored(store).holder, stored(store).writer, stored(store).heartbeat_at) == ("second", "first", HEARTBEAT)


async def test_a_renewal_whose_answer_was_lost_is_no_loss_of_the_lease(clock: ManualClock) -> None:
    store = MemoryStore()
    held = lease(store, clock, "a")
    await held.acquire()
    store.network = Network.DEAF
    with pytest.raises(StorageUnreachable):
        await held.record(writer="a")
    store.network = Network.UP
    await held.record(heartbeat_at=HEARTBEAT)
    assert stored(store).heartbeat_at == HEARTBEAT
    await held.release()
    assert stored(store).released


async def test_what_is_noted_stands_there_after_the_next_renewal(clock: ManualClock) -> None:
    store = MemoryStore()
    held = lease(store, clock, "a")
    await held.acquire()
    keeping = asyncio.create_task(held.keep())
    held.note(HEARTBEAT)
    await settle()
    assert stored(store).heartbeat_at is None
    clock.advance(SECONDS / 3)
    await settle()
    assert stored(store).heartbeat_at == HEARTBEAT
    keeping.cancel()


async def test_an_outage_expires_the_lease_until_the_storage_is_back(clock: ManualClock) -> None:
    store = MemoryStore()
    held = lease(store, clock, "a")
    await held.acquire()
    began = clock.monotonic()
    store.network = Network.DOWN
    keeping = asyncio.create_task(held.keep())
    await wind(clock, keeping, SECONDS)
    with pytest.raises(LeaseExpired, match=r"memory://db\.lease could not be renewed in 7\.5 seconds.*did not answer"):
        keeping.result()
    assert clock.monotonic() - began == pytest.approx(SECONDS * 3 / 4, abs=STEP)
    regaining = asyncio.create_task(held.regain())
    await settle()
    clock.advance(100)
    await settle()
    assert not regaining.done()
    store.network = Network.UP
    await wind(clock, regaining, 2)
    regaining.result()
    assert stored(store).renewed_at > datetime(2026, 3, 1, 12, 1, tzinfo=UTC)


async def test_a_write_that_hangs_does_not_keep_a_holder_from_giving_up(clock: ManualClock) -> None:
    class Hanging(MemoryStore):
        async def write(self, key: str, data: bytes, *, replacing: str | None) -> str:
            if self.network is Network.UP:
                return await super().write(key, data, replacing=replacing)
            await asyncio.Event().wait()
            raise AssertionError

    store = Hanging()
    held = lease(store, clock, "a")
    await held.acquire()
    store.network = Network.DOWN
    keeping = asyncio.create_task(held.keep())
    await wind(clock, keeping, SECONDS)
    with pytest.raises(LeaseExpired):
        keeping.result()


async def test_a_holder_that_stood_still_finds_out_that_it_lost_the_lease(clock: ManualClock) -> None:
    store = MemoryStore()
    first, second = lease(store, clock, "first"), lease(store, clock, "second")
    await first.acquire()
    acquiring = asyncio.create_task(second.acquire())
    await wind(clock, acquiring, SECONDS + 1)
    for call in (first.record(writer="first"), first.regain(), first.keep()):
        with pytest.raises((LeaseLost, LeaseExpired), match=r"second|stood still|not held"):
            await call
    await first.release()
    assert stored(store).holder == "second"
    assert not stored(store).released


async def test_a_holder_whose_machine_slept_gives_up_the_moment_it_wakes() -> None:
    clock = SleepingMachine()
    held = lease(MemoryStore(), clock, "a")
    await held.acquire()
    keeping = asyncio.create_task(held.keep())
    await settle()
    clock.fall_asleep(600)
    clock.advance(STEP)
    await settle()
    assert keeping.done()
    with pytest.raises(LeaseExpired, match="its machine stood still"):
        keeping.result()


@pytest.mark.parametrize("garbage", [None, b"garbage"])
async def test_a_lease_that_was_deleted_or_overwritten_is_lost(garbage: bytes | None, clock: ManualClock) -> None:
    store = MemoryStore()
    held = lease(store, clock, "a")
    await held.acquire()
    del store.objects.contents["db.lease"]
    if garbage:
        store.objects.put("db.lease", garbage, None)
    with pytest.raises(LeaseLost, match=r"deleted|not a lease"):
        await held.record(writer="a")


async def test_storage_that_ignores_conditions_is_refused(clock: ManualClock) -> None:
    class Careless(MemoryStore):
        async def write(self, key: str, data: bytes, *, replacing: str | None) -> str:
            del replacing
            found = self.objects.contents.get(key)
            return self.objects.put(key, data, found.version if found else None)

    with pytest.raises(StorageRefused, match="two bots could write at once"):
        await lease(Careless(), clock, "a").acquire()


async def test_trying_takes_over_once_it_is_sure_that_the_holder_is_dead(clock: ManualClock) -> None:
    store = MemoryStore()
    await lease(store, clock, "dead").acquire()
    with pytest.raises(LeaseLost, match="in use by the bot dead"):
        await lease(store, clock, "b").try_acquire()
    clock.advance(SECONDS + 1)
    trying = asyncio.create_task(lease(store, clock, "c").try_acquire())
    await wind(clock, trying, SECONDS + 1)
    before = trying.result()
    assert before is not None
    assert before.holder == "dead"


async def test_trying_leaves_a_holder_with_a_wrong_time_of_day_alone(clock: ManualClock) -> None:
    store = MemoryStore()
    late = ManualClock(datetime(2020, 1, 1, tzinfo=UTC))
    alive = lease(store, late, "alive")
    await alive.acquire()
    trying = asyncio.create_task(lease(store, clock, "b").try_acquire())
    clock.advance(STEP)
    await settle()
    await alive.record()
    await wind(clock, trying, 2)
    with pytest.raises(LeaseLost, match="in use by the bot alive"):
        trying.result()


async def test_releasing_what_is_not_held_asks_nothing(clock: ManualClock) -> None:
    store = MemoryStore(network=Network.DOWN)
    await lease(store, clock, "a").release()


async def test_releasing_while_the_storage_is_down_ends_all_the_same(clock: ManualClock) -> None:
    store = MemoryStore()
    held = lease(store, clock, "a")
    await held.acquire()
    store.network = Network.DOWN
    await held.release()
    assert not stored(store).released


async def test_one_that_was_faster_is_waited_for(clock: ManualClock) -> None:
    store = MemoryStore()
    writing = store.write

    async def too_late(*_: object, **__: object) -> str:
        store.write = writing  # type: ignore[method-assign]
        await lease(store, clock, "faster").acquire()
        raise Conflict("somebody was faster")

    store.write = too_late  # type: ignore[method-assign]
    with pytest.raises(LeaseLost, match="in use by the bot faster"):
        await lease(store, clock, "a").try_acquire()


async def test_a_failed_try_leaves_nothing_to_wait_for(clock: ManualClock) -> None:
    class Busy(MemoryStore):
        async def write(self, key: str, data: bytes, *, replacing: str | None) -> str:
            version = await super().write(key, data, replacing=replacing)
            if stored(self).holder == "a" and not stored(self).released:
                raise StorageUnreachable("The storage answers 429.")
            return version

    store = Busy()
    with pytest.raises(StorageUnreachable):
        await lease(store, clock, "a").try_acquire()
    await lease(store, clock, "b").try_acquire()
    assert stored(store).holder == "b"
