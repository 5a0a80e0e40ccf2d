"""`dispinmap` without the seconds that imports take: a process that has imported everything forks for each command.

`python -m tests.docs.forks SOCKET` is that process; `PROGRAM`, on the PATH, asks it.
"""

import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import dispinmap
from dispinmap.backup.litestream import bound
from dispinmap.cli import main as run_command

MESSAGE_BYTES = 2**20

PROGRAM = """#!{python} -S
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect("{path}")
    asked = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)])
    socket.send_fds(connection, [asked.encode()], [0, 1, 2])
    sys.exit(int(connection.recv(8) or 1))
"""


@contextmanager
def forking() -> Iterator[str]:
    """Run the process inside the block; yields the text of the program that asks it."""
    with TemporaryDirectory(prefix="dpm-") as folder:
        path = Path(folder) / "s"
        # `bound` ends it with the tests, even if they are killed.
        command = (sys.executable, bound.__file__, str(os.getpid()), sys.executable, "-m", __name__, path)
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield PROGRAM.format(python=sys.executable, path=path)
        finally:
            process.kill()
            process.communicate()


def main() -> None:
    for module in pkgutil.walk_packages(dispinmap.__path__, "dispinmap."):
        if not module.name.endswith(("__main__", "migrations.env")) and ".versions." not in module.name:
            import_module(module.name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(sys.argv[1])
        listening.listen()
        print("ready", flush=True)  # noqa: T201
        while True:
            connection, _ = listening.accept()
            with connection:
                if os.fork() == 0:
                    _serve(connection)


def _serve(connection: socket.socket) -> None:
    """Run the command that was asked for, and exit."""
    asked, outputs, _, _ = socket.recv_fds(connection, MESSAGE_BYTES, 3)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, output in enumerate(outputs):
        os.dup2(output, number)
    arguments, folder, environment = json.loads(asked)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["dispinmap", *arguments]
    code = 1
    try:
        run_command()
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        connection.send(str(code).encode())
        os._exit(code)


if __name__ == "__main__":
    main()
