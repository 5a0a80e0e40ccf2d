"""Whether the database on this disk is the one that was written last."""

from dispinmap.backup.models import Heartbeat, LeaseRecord


def is_newest(local: Heartbeat | None, previous: LeaseRecord | None) -> bool:
    """Whether the run of the bot that wrote last wrote into this very file.

    `local` is the file's heartbeat, `previous` what the lease said before we took it. A holder writes its name into the
    file first and into the lease right after it; a crash in between leaves the lease with the name of the one before.
    """
    if previous is None or previous.writer is None:
        return True
    return local is not None and previous.writer in (local.holder, local.previous_holder)
