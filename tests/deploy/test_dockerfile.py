"""deploy/Dockerfile keeps what docs/deploy.md promises, and is sent all it copies and nothing that is secret."""

import ast
import fnmatch
import json
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from dispinmap.cli.entry import EXIT_FAILURE
from dispinmap.cli.main import COMMANDS
from dispinmap.cli.sandbox import MISSING
from tests.deploy.dockerfile import DOCKERFILE, ROOT, copied, environment, last, steps

PROGRAMS = Path(sys.executable).parent
FINAL = 1


def test_hadolint_finds_nothing_and_is_told_to_ignore_nothing() -> None:
    done = subprocess.run([PROGRAMS / "hadolint", DOCKERFILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert "hadolint" not in DOCKERFILE.read_text("utf-8")


def test_both_stages_are_the_same_image_of_an_exact_python() -> None:
    assert {step.text.split()[0] for step in steps() if step.name == "FROM"} == {"${PYTHON_IMAGE}"}
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", environment(-1)["PYTHON_IMAGE"])


def test_it_runs_start_as_a_number_and_ends_by_sigterm() -> None:
    assert last("ENTRYPOINT").words + last("CMD").words == ["dispinmap", "start"]
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", last("USER").text)
    assert last("STOPSIGNAL").text == "SIGTERM"


def test_the_database_lies_on_the_one_volume_which_belongs_to_the_bot() -> None:
    (volume,) = last("VOLUME").words
    assert environment(FINAL)["LITESTREAM_PATH"] == f"{volume}/pinball_bot.db"
    given = {step.words[-1]: step.flag("chown") for step in steps() if step.name == "COPY" and step.stage == FINAL}
    assert given == {"/venv": None, "/app": None, volume: last("USER").text}


def test_every_package_comes_from_a_lock_with_hashes_as_a_wheel() -> None:
    commands = [part.strip() for step in steps() if step.name == "RUN" for part in re.split(r"&&|;;", step.text)]
    *from_locks, ours = [part for part in commands if re.match(r"pip .*\binstall\b", part)]
    assert {options.split()[-1] for options in from_locks} == {"build.lock", "requirements.lock", "litestream05.lock"}
    assert all(" --require-hashes --only-binary :all: " in options for options in from_locks)
    assert ours.endswith("install --no-index --no-deps dist/*.whl")


def test_the_health_check_is_python_and_asks_whether_it_is_alive() -> None:
    text = last("HEALTHCHECK").text
    program, option, source = json.loads(text[text.index("[") :])
    assert (program, option) == ("python", "-c")
    ast.parse(source)
    assert "/health'" in source


def test_whatever_is_copied_is_there_and_sent() -> None:
    for pattern in copied():
        assert list(ROOT.glob(pattern)), pattern
        assert _sent(pattern), pattern


@pytest.mark.parametrize("kept", [".env", "pinball_bot.db", "pinball_bot.db-wal", ".git/config", "tests/conftest.py"])
def test_secrets_databases_and_history_are_not_sent(kept: str) -> None:
    assert not _sent(kept)


def test_the_sandbox_is_not_sent() -> None:
    assert _sent("src/dispinmap/app.py")
    assert not _sent("src/dispinmap_sandbox/run.py")


def _sent(path: str) -> bool:
    """As .dockerignore decides: the last pattern that matches the path, or a folder above it."""
    sent = True
    above = [str(each) for each in (Path(path), *Path(path).parents)]
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        pattern = line.removeprefix("!")
        if line and not line.startswith("#") and any(fnmatch.fnmatch(each, pattern) for each in above if each != "."):
            sent = line.startswith("!")
    return sent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that has what the image's wheel brings."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [PROGRAMS / "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "installed")
    return folder / "installed"


def test_the_wheel_has_every_file_of_the_bot_and_no_other_package(installed: Path) -> None:
    assert {path.name.partition("-")[0] for path in installed.iterdir()} == {"dispinmap"}
    assert _files(installed) == _files(ROOT / "src")


def _files(folder: Path) -> set[str]:
    paths = (folder / "dispinmap").rglob("*")
    return {str(path.relative_to(folder)) for path in paths if path.is_file() and "__pycache__" not in path.parts}


def test_where_only_the_wheel_is_installed_the_sandbox_says_how_to_get_it(installed: Path) -> None:
    ended = _without_clone(installed, "sandbox")
    assert (ended.returncode, ended.stdout) == (EXIT_FAILURE, "")
    assert ended.stderr == f"{MISSING}\n"


def test_where_only_the_wheel_is_installed_help_still_lists_every_command(installed: Path) -> None:
    ended = _without_clone(installed, "--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert all(re.search(rf"^\W*{command}\b", ended.stdout, re.MULTILINE) for command in COMMANDS)


def _without_clone(installed: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`dispinmap` from the wheel. `-S` leaves out the editable installation, which would offer the clone's packages."""
    paths = os.pathsep.join([str(installed), sysconfig.get_path("purelib")])
    return subprocess.run(
        [sys.executable, "-S", "-m", "dispinmap", *words],
        cwd=installed,
        env={"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
