"""Whether the database on this disk is the one that was written last."""

from dispinmap.backup.models import Heartbeat, LeaseRecord


def is_newest(local: Heartbeat | None, previous: LeaseRecord | None) -> bool:
    """Whether the run of the bot that wrote last wrote into this very file.

    `local` is the file's heartbeat, `previous` what the lease said before we took it. A holder writes its name into the
    file first, with the one the lease names, and into the lease right after it: a crash in between leaves the latter.
    A file that lacks a heartbeat which the replica holds went back in time, with its disk or by a power cut.
    """
    if previous is None or previous.writer is None:
        return True
    if local is None or previous.writer not in (local.holder, local.previous_holder):
        return False
    return previous.heartbeat_at is None or local.beat_at >= previous.heartbeat_at
