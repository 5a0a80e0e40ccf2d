"""Become a program that dies with its parent: `python bound.py PARENT PROGRAM ARGUMENT...`.

A program of its own, because a process with threads must not run Python code between fork and exec.
"""

import ctypes
import os
import signal
import sys
from typing import Final

PR_SET_PDEATHSIG: Final = 1
"""From <linux/prctl.h>; it survives the exec."""


def main(parent: int, program: list[str]) -> None:
    """Become `program`, unless the process `parent` has ended already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == parent:
        os.execv(program[0], program)  # noqa: S606 -- no shell is wanted


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
