"""Upgrades in child processes that die by SIGKILL at a chosen moment."""

import os
import signal
from collections.abc import Callable
from itertools import count
from pathlib import Path

from sqlalchemy import Engine, event

from dispinmap.database.progress import Progress
from dispinmap.database.upgrade import upgrade


def kill_at_statement(path: Path, number: int) -> bool:
    """Upgrade in a child that dies just before its statement or commit `number`; False if it finished before."""

    def work() -> None:
        moments = count(1)

        def next_moment(*_: object) -> None:
            if next(moments) == number:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(Engine, "before_cursor_execute", next_moment)
        event.listen(Engine, "commit", next_moment)
        upgrade(f"sqlite:///{path}")

    return _dies(work)


def kill_at_report(path: Path, moment: Callable[[Progress], bool]) -> bool:
    """Upgrade in a child that dies at the first progress report for which `moment` is true."""

    def report(progress: Progress) -> None:
        if moment(progress):
            os.kill(os.getpid(), signal.SIGKILL)

    return _dies(lambda: upgrade(f"sqlite:///{path}", progress=report))


def _dies(work: Callable[[], None]) -> bool:
    """Whether a forked child running `work` was killed. Forking saves importing everything again."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)
