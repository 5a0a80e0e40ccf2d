"""A lease in object storage: an object beside the replica. We only overwrite the version that we last read or wrote."""

import asyncio
import secrets
from datetime import datetime
from typing import Final, NoReturn

import structlog

from dispinmap.backup.errors import (
    BackupError,
    Conflict,
    LeaseExpired,
    LeaseLost,
    StorageError,
    StorageRefused,
    StorageUnreachable,
)
from dispinmap.backup.lease import rules
from dispinmap.backup.lease.record import decode, encode, renewed, taken
from dispinmap.backup.lease.waiting import within
from dispinmap.backup.models import LeaseRecord
from dispinmap.backup.storage.store import Store
from dispinmap.clock import Clock

RELEASE_SECONDS: Final = 3.0
"""In real time, not on the injected clock: a platform kills us ten seconds after it asked us to stop."""

log = structlog.get_logger(__name__)


class ObjectLease:
    """The lease in the object `key`; `name` is its address for people. A holder silent for `seconds` loses it."""

    def __init__(self, name: str, key: str, store: Store, clock: Clock, *, seconds: float, holder: str) -> None:
        self.holder = holder
        self.waiting_for: str | None = None
        self._name = name
        self._key = key
        self._store = store
        self._clock = clock
        self._seconds = seconds
        self._writing = asyncio.Lock()
        self._before: LeaseRecord | None = None
        # What we wrote last, or tried to write. None if we do not hold the lease.
        self._record: LeaseRecord | None = None
        # None if we do not know whether our last write happened.
        self._version: str | None = None
        self._noted: datetime | None = None
        # When, on the monotonic clock, we sent the last write that succeeded.
        self._confirmed = 0.0
        self._trouble: StorageError | None = None

    async def acquire(self) -> LeaseRecord | None:
        seen: rules.Sighting | None = None
        try:
            while True:
                try:
                    seen = await self._take_or_see(seen)
                except StorageUnreachable as error:
                    reason = str(error)
                else:
                    if seen is None:
                        return self._before
                    reason = rules.held_sentence(self._name, seen.record)
                if self.waiting_for is None:
                    log.info("waiting_for_lease", reason=reason)
                self.waiting_for = reason
                await self._clock.sleep(rules.retry_interval(self._seconds))
        finally:
            self.waiting_for = None

    async def try_acquire(self) -> LeaseRecord | None:
        """If the holder looks dead by its last renewal's time, waits long enough to be sure of it."""
        try:
            return await self._wait_and_take()
        except BaseException:
            # We may hold the lease: the answer to our write may have been lost.
            await self.release()
            raise

    async def _wait_and_take(self) -> LeaseRecord | None:
        before: rules.Sighting | None = None
        while (seen := await self._take_or_see(before)) is not None:
            renewed = before is not None and before.version != seen.version
            if renewed or rules.looks_alive(seen.record, self._clock.now()):
                raise LeaseLost(rules.held_sentence(self._name, seen.record))
            before = seen
            await self._clock.sleep(rules.retry_interval(self._seconds))
        return self._before

    async def keep(self) -> NoReturn:
        while True:
            left = self._confirmed + rules.trusted_for(self._seconds) - self._clock.monotonic()
            if left <= 0:
                raise self._expired()
            try:
                await within(self._clock, left, self._renew_when_due())
            except TimeoutError:
                # `record` may have renewed the lease in the meantime.
                continue

    async def regain(self) -> LeaseRecord:
        return await self._renew_until_it_works()

    async def record(self, *, writer: str | None = None, heartbeat_at: datetime | None = None) -> None:
        """Also renews the lease. Raises LeaseLost, and StorageError if the record may or may not have been written."""
        if heartbeat_at is not None:
            self.note(heartbeat_at)
        await self._renew(writer=writer)

    def note(self, heartbeat_at: datetime) -> None:
        self._noted = heartbeat_at

    async def release(self) -> None:
        """Takes `RELEASE_SECONDS` at most. If that is too short, the next bot has to wait until the lease expires."""
        if self._record is None:
            return
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                await self._renew(released=True)
        except (StorageError, TimeoutError) as error:
            log.warning("lease_not_released", error=str(error), cure="the next bot has to wait until it expires")
        except LeaseLost:
            log.info("lease_was_taken")
        self._record = None

    async def _take_or_see(self, before: rules.Sighting | None) -> rules.Sighting | None:
        """Take the lease if we may and return None, else return what we saw. Raises StorageError."""
        while True:
            content = await self._store.read(self._key)
            try:
                if content is None:
                    await self._take(None, None)
                    return None
                record = decode(content.data, self._name)
                if self._is_ours(record):
                    # An earlier write of ours succeeded, but its answer was lost.
                    self._record, self._version = record, content.version
                    await self._renew()
                    return None
                seen = rules.sighting(before, record, content.version, self._clock.monotonic())
                if not rules.may_take(seen, self._clock.monotonic()):
                    return seen
                await self._take(record, content.version)
            except Conflict:
                # Another bot was faster. Read who it is.
                continue
            return None

    async def _take(self, before: LeaseRecord | None, version: str | None) -> None:
        self._before = before
        self._noted = None
        self._record = taken(before, self.holder, self._seconds, self._clock.now())
        await self._write(self._record, version)
        await self._require_conditions(self._record, version)

    async def _require_conditions(self, record: LeaseRecord, stale: str | None) -> None:
        """Some servers ignore conditions, so two bots could hold the lease. Test it with a write that must fail."""
        try:
            await self._store.write(self._key, encode(record), replacing=stale)
        except Conflict:
            return
        raise StorageRefused(
            f"The storage of {self._name} overwrites although it was told not to, so two bots could write at once: use "
            "storage that knows conditional writes (If-Match and If-None-Match)."
        )

    async def _renew_when_due(self) -> None:
        due = self._confirmed + rules.renewal_interval(self._seconds)
        await self._clock.sleep(due - self._clock.monotonic())
        await self._renew_until_it_works()

    async def _renew_until_it_works(self) -> LeaseRecord:
        while True:
            try:
                record = await self._renew()
            except StorageError as error:
                if self._trouble is None:
                    log.warning("lease_not_renewed", error=str(error))
                self._trouble = error
                await self._clock.sleep(rules.retry_pause(self._seconds))
            else:
                break
        if self._trouble is not None:
            log.info("lease_renewed_again")
        self._trouble = None
        return record

    async def _renew(self, *, writer: str | None = None, released: bool = False) -> LeaseRecord:
        async with self._writing:
            while True:
                version = self._version or await self._version_of_ours()
                if self._record is None:
                    raise LeaseLost(f"{self._name} is not held by this bot.")
                record = renewed(self._record, self._clock.now(), writer, self._noted, released=released)
                try:
                    return await self._write(record, version)
                except Conflict:
                    # Either another bot holds the lease, or an earlier write of ours succeeded after all. Read which.
                    continue

    async def _write(self, record: LeaseRecord, version: str | None) -> LeaseRecord:
        # Until the answer arrives we do not know which version is stored.
        self._version = None
        # Trust counts from before the write was sent: a waiting bot counts from when it first read it, which is later.
        sent = self._clock.monotonic()
        self._version = await self._store.write(self._key, encode(record, secrets.token_hex(8)), replacing=version)
        self._record, self._confirmed = record, sent
        return record

    async def _version_of_ours(self) -> str:
        content = await self._store.read(self._key)
        if content is None:
            raise self._lost(f"{self._name} was deleted, so another bot may use the replica: start again.")
        try:
            record = decode(content.data, self._name)
        except BackupError as error:
            raise self._lost(str(error)) from None
        if not self._is_ours(record):
            raise self._lost(rules.held_sentence(self._name, record))
        return content.version

    def _is_ours(self, record: LeaseRecord) -> bool:
        return record.holder == self.holder and not record.released

    def _lost(self, sentence: str) -> LeaseLost:
        self._record = None
        return LeaseLost(sentence)

    def _expired(self) -> LeaseExpired:
        reason = str(self._trouble) if self._trouble else "This process or its machine stood still for too long."
        return LeaseExpired(
            f"{self._name} could not be renewed in {rules.trusted_for(self._seconds):g} seconds. {reason}"
        )
