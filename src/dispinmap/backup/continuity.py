"""Whether the database on this disk is the one a bot wrote to last (pure)."""

from dispinmap.backup.models import Heartbeat, LeaseRecord


def is_newest(local: Heartbeat | None, previous: LeaseRecord | None) -> bool:
    """Whether the last writer wrote to this file, and the file has all its heartbeats that the replica holds.

    `local` is the file's heartbeat, `previous` the lease before we took it. A new holder writes its name to the file
    first and to the lease second. If it crashes in between, the lease still names the writer before it, so the file
    keeps that name as `previous_holder`. If the replica holds a later heartbeat than the file, the disk was set back or
    lost writes in a power cut.
    """
    if previous is None or previous.writer is None:
        return True
    if local is None or previous.writer not in (local.holder, local.previous_holder):
        return False
    return previous.heartbeat_at is None or local.beat_at >= previous.heartbeat_at


def is_later_elsewhere(local: Heartbeat, previous: LeaseRecord) -> bool:
    """Whether an unknown bot wrote to this file after the lease's last writer had stopped.

    Such a bot had its lease elsewhere: a bot that loses this lease stops writing before the next holder starts. We
    compare the clocks of two machines here. If they differ by more than the last writer's run, an old file gives the
    same answer, so callers must stop and let the operator decide.
    """
    known = previous.writer in (None, local.holder, local.previous_holder)
    return not known and local.beat_at > previous.written_until
