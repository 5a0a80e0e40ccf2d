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


def is_later_elsewhere(local: Heartbeat, previous: LeaseRecord) -> bool:
    """Whether a bot that the lease does not know wrote into this file after the last one that it knows was gone.

    Who merely lost the lease wrote nothing after the next one had it. This compares the clocks of two machines: where
    they differ by more than that one lived, an old file looks like this too, and somebody has to say which one counts.
    """
    known = previous.writer in (None, local.holder, local.previous_holder)
    return not known and local.beat_at > previous.written_until
