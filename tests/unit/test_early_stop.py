"""The first process of a container ends by SIGTERM also while it is still being imported."""

import subprocess
import sys

STOPPED = """
import os, signal
os.getpid = lambda: 1
import dispinmap.cli
assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
signal.raise_signal(signal.SIGTERM)
"""


def test_the_first_process_has_a_handler_before_anything_else_is_imported() -> None:
    assert subprocess.run([sys.executable, "-c", STOPPED], check=False).returncode == 143
