"""The command line as its own process: what it prints, and how it ends."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from importlib.metadata import version
from pathlib import Path

import aiohttp
import pytest

from dispinmap.cli.entry import EXIT_FAILURE, EXIT_SETTINGS
from dispinmap.settings import Settings
from dispinmap_sandbox.clock import SandboxClock
from dispinmap_sandbox.services import DISCORD_TOKEN, PINBALLMAP_TOKEN, EmbeddedServices
from tests.fakes.services import patient_services

SECONDS = 60.0
NOT_A_TOKEN = "a-token-nobody-ever-gave-out"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended."""

    code: int | None
    output: str
    errors: str


@asynccontextmanager
async def _process(folder: Path, *words: str, **variables: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`dispinmap` in an empty folder, where no .env lies, with these settings alone."""
    names = {each.name.upper() for each in fields(Settings)}
    inherited = {name: value for name, value in os.environ.items() if name not in names}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dispinmap", *words),
        cwd=folder,
        env={**inherited, **variables},
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def _end(process: asyncio.subprocess.Process, start: str = "") -> Ended:
    async with asyncio.timeout(SECONDS):
        output, errors = await process.communicate()
    return Ended(process.returncode, start + output.decode(), errors.decode())


async def _run(folder: Path, *words: str, **variables: str) -> Ended:
    async with _process(folder, *words, **variables) as process:
        return await _end(process)


@pytest.fixture
async def services() -> AsyncIterator[EmbeddedServices]:
    async with patient_services(SandboxClock()) as services:
        yield services


async def test_the_version_is_the_packages(tmp_path: Path) -> None:
    assert await _run(tmp_path, "--version") == Ended(0, f"dispinmap {version('dispinmap')}\n", "")


async def test_without_a_command_the_commands_are_listed(tmp_path: Path) -> None:
    ended = await _run(tmp_path)
    for command in ("run", "sandbox"):
        assert re.search(rf"^\W*{command}\b", ended.output + ended.errors, re.MULTILINE)


async def test_a_missing_token_ends_the_start_with_one_line(tmp_path: Path) -> None:
    ended = await _run(tmp_path, "run")
    assert (ended.code, ended.output) == (EXIT_SETTINGS, "")
    assert re.fullmatch(r"DISCORD_TOKEN is not set: create a bot at \S+ and set its token\.\n", ended.errors)


async def test_each_malformed_setting_gets_one_line_with_its_cure_and_no_token(tmp_path: Path) -> None:
    malformed = {
        "DISCORD_TOKEN": f"{NOT_A_TOKEN} twice",
        "DISCORD_API_BASE": "discord.com",
        "PORT": "eighty",
        "LOG_LEVEL": "loud",
        "LOG_FORMAT": "xml",
        "FEED_MIN_INTERVAL_SECONDS": "0",
        "SETTLE_WINDOW_SECONDS": "-1",
        "COMMAND_PREFIX": "! !",
        "MANAGE_CHANNELS_REQUIRED": "perhaps",
    }
    ended = await _run(tmp_path, "run", **malformed)
    lines = ended.errors.splitlines()
    assert (ended.code, ended.output) == (EXIT_SETTINGS, "")
    assert sorted(line.split()[0] for line in lines) == sorted(malformed)
    assert all(re.fullmatch(r"[A-Z_]+ is malformed: .+\.", line) for line in lines)
    assert NOT_A_TOKEN not in ended.errors


@pytest.mark.parametrize("log_format", ["console", "json"])
async def test_a_refused_token_ends_the_start_with_its_sentence_and_is_never_shown(
    tmp_path: Path, services: EmbeddedServices, log_format: str
) -> None:
    variables = {**services.environment, "DISCORD_TOKEN": NOT_A_TOKEN, "PORT": "0"}
    ended = await _run(tmp_path, "run", **variables, LOG_LEVEL="DEBUG", LOG_FORMAT=log_format)
    assert ended.code == EXIT_SETTINGS
    last = ended.errors.splitlines()[-1]
    assert last.startswith("DISCORD_TOKEN was refused by Discord: reset the token")
    assert "Traceback" not in ended.errors
    assert not {NOT_A_TOKEN, PINBALLMAP_TOKEN} & set(re.findall(r"[\w-]+", ended.output + ended.errors))


@pytest.mark.parametrize("log_format", ["console", "json"])
async def test_a_bot_that_works_never_shows_a_token_however_much_it_logs(
    tmp_path: Path, services: EmbeddedServices, log_format: str
) -> None:
    variables = {**services.environment, "PORT": "0", "LOG_LEVEL": "DEBUG", "LOG_FORMAT": log_format}
    async with _process(tmp_path, "run", **variables) as process:
        await services.discord.wait_connected(SECONDS)
        seed = services.seed
        asked = await services.discord.invoke(
            seed.administrator.id, seed.pinball.id, "add location", {"name": "Ground Kontrol"}
        )
        assert "Now watching" in (await services.discord.answer(asked)).content
        process.send_signal(signal.SIGTERM)
        ended = await _end(process)
    assert ended.code == 0
    assert "target_added" in ended.errors
    for token in (DISCORD_TOKEN, PINBALLMAP_TOKEN):
        assert token not in ended.output + ended.errors


async def test_a_discord_that_cannot_be_reached_ends_the_start_with_a_sentence(tmp_path: Path) -> None:
    ended = await _run(
        tmp_path, "run", DISCORD_TOKEN=NOT_A_TOKEN, DISCORD_API_BASE="http://127.0.0.1:9/api/v10", PORT="0"
    )
    assert ended.code == EXIT_FAILURE
    assert ended.errors.splitlines()[-1].startswith("Discord could not be reached at the start")
    assert "Traceback" not in ended.errors


@pytest.mark.parametrize("name", ["LITESTREAM_CONFIG", "LITESTREAM_REPLICA_URL", "LITESTREAM_BUCKET"])
async def test_whoever_named_a_place_for_the_backup_is_told_that_run_makes_none(tmp_path: Path, name: str) -> None:
    unreachable = {"DISCORD_TOKEN": NOT_A_TOKEN, "DISCORD_API_BASE": "http://127.0.0.1:9/api/v10", "PORT": "0"}
    told = await _run(tmp_path, "run", **unreachable, **{name: str(tmp_path / "backup")})
    assert "backup_left_out" in told.errors
    assert "`dispinmap start`" in told.errors
    assert "backup_left_out" not in (await _run(tmp_path, "run", **unreachable)).errors


async def test_the_sandbox_says_where_it_is_and_ends_quietly_on_ctrl_c(tmp_path: Path) -> None:
    async with _process(tmp_path, "sandbox") as process:
        assert process.stdout is not None
        async with asyncio.timeout(SECONDS):
            announced = (await process.stdout.readline()).decode()
        address = re.fullmatch(r"The sandbox is ready: open (\S+) in a browser\. Ctrl-C stops it\.\n", announced)
        assert address is not None
        async with aiohttp.ClientSession() as http, http.get(address[1]) as page:
            assert "DisPinMap sandbox" in await page.text()
        process.send_signal(signal.SIGINT)
        ended = await _end(process)
    assert (ended.code, ended.errors) == (0, "")
    assert _left_in(tmp_path) == []


def _left_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_an_unknown_log_level_of_the_sandbox_is_refused_with_a_sentence(tmp_path: Path) -> None:
    ended = await _run(tmp_path, "sandbox", "--log-level", "loud")
    assert ended.code == EXIT_SETTINGS
    assert "Traceback" not in ended.errors
    assert "--log-level" in ended.errors
    assert "debug" in ended.errors
