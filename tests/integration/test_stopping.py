"""How the process ends at a signal: `run_until_stopped` in a process of its own."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from dispinmap import app, start
from dispinmap.web import server

PATIENCE = 60
GRACE_SECONDS = 10
"""https://cloud.google.com/run/docs/container-contract#instance-shutdown, and Docker's default."""

_THREAD = """
async def work():
    print("ready", flush=True)
    await asyncio.to_thread(time.sleep, 60)
"""
_CLEANING = """
async def work():
    try:
        print("ready", flush=True)
        await asyncio.Event().wait()
    finally:
        print("cleaning", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        print("clean", flush=True)
"""
_FAILING = """
async def work():
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    raise DisPinMapError("It cannot go on.")
"""


@contextmanager
def _process(work: str) -> Iterator[subprocess.Popen[str]]:
    code = f"""
import asyncio, sys, time
from dispinmap.cli.stopping import run_until_stopped
from dispinmap.errors import DisPinMapError
{work}
run_until_stopped(work())
"""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            assert _line(process) == "ready"
            yield process
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_thread_that_hangs_does_not_hold_up_the_end() -> None:
    with _process(_THREAD) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


def test_more_signals_do_not_interrupt_the_clean_up() -> None:
    with _process(_CLEANING) as process:
        process.send_signal(signal.SIGTERM)
        assert _line(process) == "cleaning"
        for sign in (signal.SIGTERM, signal.SIGINT):
            process.send_signal(sign)
        said, _ = process.communicate("\n", PATIENCE)
        assert (said, process.returncode) == ("clean\n", 0)


def test_an_error_leaves_as_it_is() -> None:
    with _process(_FAILING) as process:
        _, said = process.communicate("\n", PATIENCE)
        assert "DisPinMapError: It cannot go on." in said
        assert process.returncode == 1


def test_the_longest_stop_is_shorter_than_a_platform_waits() -> None:
    assert start.STOP_SECONDS + start.RELEASE_SECONDS + 2 * server.STOP_SECONDS < GRACE_SECONDS
    assert app.CLOSE_SECONDS + start.BEAT_SECONDS + start.LITESTREAM_SECONDS < start.STOP_SECONDS
