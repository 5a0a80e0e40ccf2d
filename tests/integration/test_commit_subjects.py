"""`make commits` in repositories of its own."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path("scripts/check_commit_subjects.sh")
ROOT = Path(__file__).parents[2]

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def run(folder: Path, *command: str, code: int = 0) -> str:
    """What the command prints; it must end with that code."""
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    names = {f"GIT_{role}_{what}": "a@b.c" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        command,
        cwd=folder,
        env=inherited | alone | names,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout
    return done.stdout


def check(folder: Path, code: int = 0) -> str:
    return run(folder, str(folder / SCRIPT), code=code)


def commit(folder: Path, subject: str) -> None:
    run(folder, "git", "add", ".")
    run(folder, "git", "commit", "--quiet", "--allow-empty", "--message", f"{subject}\n\n{'a long body ' * 20}")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """With a commit that is older than the check and has a long subject, and the one that adds the check."""
    folder = tmp_path / "repository"
    folder.mkdir()
    run(folder, "git", "init", "--quiet")
    commit(folder, "x" * 100)
    (folder / "scripts").mkdir()
    shutil.copy(ROOT / SCRIPT, folder / SCRIPT)
    commit(folder, "Check the subjects")
    return folder


@needs_git
def test_72_characters_are_not_too_long(repository: Path) -> None:
    commit(repository, "ü" * 72)
    assert "2 checked" in check(repository)


@needs_git
def test_73_characters_are_too_long(repository: Path) -> None:
    commit(repository, "ü" * 73)
    assert f"has 73 characters in its subject: {'ü' * 73}\n" in check(repository, code=1)


@needs_git
def test_a_merge_may_have_a_long_subject(repository: Path) -> None:
    run(repository, "git", "checkout", "--quiet", "-b", "side")
    commit(repository, "On the side")
    run(repository, "git", "checkout", "--quiet", "-")
    run(repository, "git", "merge", "--quiet", "--no-ff", "--message", "y" * 100, "side")
    assert "2 checked" in check(repository)


@needs_git
def test_in_a_shallow_clone_the_commits_that_are_there_are_checked(repository: Path, tmp_path: Path) -> None:
    commit(repository, "z" * 73)
    run(tmp_path, "git", "clone", "--quiet", "--depth", "1", f"file://{repository}", "clone")
    assert "has 73 characters" in check(tmp_path / "clone", code=1)


@needs_git
def test_before_the_check_is_committed_it_says_that_it_is_skipped(repository: Path) -> None:
    run(repository, "git", "reset", "--quiet", "HEAD~1")
    assert "skipped, because" in check(repository)


def test_outside_git_it_says_that_it_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / SCRIPT, tmp_path / SCRIPT)
    assert "skipped, because" in check(tmp_path)
