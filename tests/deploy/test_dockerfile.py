"""deploy/Dockerfile keeps what docs/deploy.md promises, and is sent all it copies and nothing that is secret."""

import ast
import fnmatch
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

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


def _sent(path: str) -> bool:
    """As .dockerignore decides: the last pattern that matches the path, or a folder above it."""
    sent = True
    above = [str(each) for each in (Path(path), *Path(path).parents)]
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        pattern = line.removeprefix("!")
        if line and not line.startswith("#") and any(fnmatch.fnmatch(each, pattern) for each in above if each != "."):
            sent = line.startswith("!")
    return sent


def test_the_wheel_has_every_file_of_the_package(tmp_path: Path) -> None:
    subprocess.run(
        [PROGRAMS / "hatchling", "build", "--target", "wheel", "--directory", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("dispinmap/")}
    source = ROOT / "src"
    files = {str(path.relative_to(source)) for path in (source / "dispinmap").rglob("*") if path.is_file()}
    assert packed == {name for name in files if "__pycache__" not in name}
