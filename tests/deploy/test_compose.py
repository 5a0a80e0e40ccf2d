"""deploy/compose.yaml: one service, one volume, and a token is all it needs."""

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values

from dispinmap.secret import Secret
from dispinmap.settings import Settings
from tests.deploy.dockerfile import ROOT, last

FILE = ROOT / "deploy" / "compose.yaml"
DEFAULTS = ROOT / "deploy" / "compose.env"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return document


@pytest.fixture(scope="module")
def bot(compose: dict[str, Any]) -> dict[str, Any]:
    (service,) = compose["services"].values()
    assert isinstance(service, dict)
    return service


def test_the_compose_specification_allows_it() -> None:
    checker = Path(sys.executable).parent / "check-jsonschema"
    command = [str(checker), "--builtin-schema", "vendor.compose-spec", str(FILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_builds_this_project_and_names_the_image(bot: dict[str, Any]) -> None:
    build = bot["build"]
    context = (FILE.parent / build["context"]).resolve()
    assert context == ROOT
    assert (context / build["dockerfile"]).is_file()
    assert bot["image"]


def test_it_writes_to_its_one_volume_and_to_memory_alone(compose: dict[str, Any], bot: dict[str, Any]) -> None:
    (volume,) = compose["volumes"]
    assert bot["volumes"] == [f"{volume}:{last('VOLUME').words[0]}"]
    assert [each.partition(":")[0] for each in bot["tmpfs"]] == ["/tmp"]  # noqa: S108 -- the container's own
    assert bot["read_only"] is True


def test_it_has_no_privileges_and_bounded_resources(bot: dict[str, Any]) -> None:
    assert bot["cap_drop"] == ["ALL"]
    assert bot["security_opt"] == ["no-new-privileges:true"]
    assert not {"cap_add", "privileged", "user"} & bot.keys()
    assert bot["mem_limit"] == "256m"
    assert bot["logging"]["options"] == {"max-size": "10m", "max-file": "5"}


def test_it_is_restarted_and_has_longer_to_stop_than_the_bot_needs(bot: dict[str, Any]) -> None:
    assert bot["restart"] == "unless-stopped"
    assert int(bot["stop_grace_period"].removesuffix("s")) > 10


def test_its_pages_are_published_to_this_machine_alone_where_the_bot_serves_them(bot: dict[str, Any]) -> None:
    (port,) = bot["ports"]
    assert port.startswith("127.0.0.1:")
    assert port.endswith(f":{bot['environment']['PORT']}")


def test_the_file_replica_is_a_default_that_the_operator_s_file_wins_over(bot: dict[str, Any]) -> None:
    files = [(FILE.parent / name).resolve() for name in bot["env_file"]]
    assert files == [DEFAULTS, ROOT / ".env"]
    assert "LITESTREAM_REPLICA_URL" not in bot["environment"]


DEVELOPMENT = {
    "SQLALCHEMY_URL": "sqlite:///pinball_bot.db",
    "DATABASE_PATH": "bot.db",
    "LITESTREAM_PATH": "bot.db",
    "LITESTREAM_BIN": "/opt/litestream",
    "PORT": "9000",
}


@pytest.mark.parametrize("more", [{}, DEVELOPMENT], ids=["a token alone", "a development .env"])
def test_a_token_makes_the_settings_complete(
    bot: dict[str, Any], more: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {**dotenv_values(DEFAULTS), "DISCORD_TOKEN": "made.up", **more, **bot["environment"]}
    monkeypatch.chdir(tmp_path)
    for name, value in given.items():
        monkeypatch.setenv(name, str(value))
    settings = Settings.load()
    assert settings.discord_token == Secret("made.up")
    assert settings.port == 8080
    assert settings.litestream_bin is None
    (volume,) = last("VOLUME").words
    assert settings.database_url == f"sqlite:///{volume}/pinball_bot.db"
    assert settings.litestream_replica_url == f"file://{volume}/backup"
    assert set(given) <= {each.name.upper() for each in fields(Settings)}


def test_no_token_is_written_in_it() -> None:
    assert not re.search(r"TOKEN", FILE.read_text("utf-8") + DEFAULTS.read_text("utf-8"))
