"""docs/deploy.md says what the files in deploy do, and its figures are what the code makes them."""

import re
import shlex
import subprocess

import pytest

from dispinmap.backup.heartbeat import EVERY
from dispinmap.backup.lease.rules import renewal_interval
from dispinmap.cli.entry import EXIT_SETTINGS
from dispinmap.settings import BackupSettings, Settings
from tests.deploy.dockerfile import ROOT, environment, last
from tests.docs.pages import blocks, read, rows, sections

PAGE = read("docs/deploy.md")
SECTIONS = sections(PAGE, 2)
MONTH_SECONDS = 30 * 86400


@pytest.mark.parametrize("block", blocks(PAGE, "sh"), ids=lambda block: block.splitlines()[0])
def test_a_block_of_commands_is_good_shell_and_its_files_are_there(block: str) -> None:
    subprocess.run(["bash", "-n", "-c", block], check=True)  # noqa: S607 -- the shell people have
    for word in shlex.split(block, comments=True):
        name = word.partition("=")[2] or word
        if re.match(r"deploy/|\.env\.example", name):
            assert (ROOT / name).exists(), name


def test_the_paths_of_the_systemd_commands_are_the_unit_s() -> None:
    unit = read("deploy/systemd/dispinmap.service")
    for path in set(re.findall(r"/(?:etc/dispinmap\.env|(?:usr/local/lib|var/\w+)/dispinmap)\b", SECTIONS["systemd"])):
        assert path in unit, path


def test_every_variable_given_to_terraform_is_declared() -> None:
    declared = re.findall(r'^variable "(\w+)"', read("deploy/terraform/variables.tf"), re.MULTILINE)
    given = re.findall(r"-var '?(\w+)=", PAGE)
    assert given
    assert set(given) <= set(declared)


def test_what_a_platform_has_to_know_is_what_the_image_says() -> None:
    said = {cells[0]: cells[1] for cells in rows(SECTIONS["Other platforms"])}
    user, group = last("USER").text.split(":")
    assert said["User"].startswith(f"{user}, group {group}:")
    assert said["Writable"].startswith(f"`{last('VOLUME').words[0]}` ")
    assert f"{last('EXPOSE').text} unless set" in said["Port"]
    assert last("EXPOSE").text == str(Settings.port)
    assert f"Litestream than {environment(0)['LITESTREAM_VERSION']}. What" in SECTIONS["Other platforms"]
    assert f"(exit code {EXIT_SETTINGS})" in PAGE


def test_the_requests_of_a_month_are_what_the_intervals_make_them() -> None:
    lease = float(BackupSettings.lease_seconds)
    renewals, beats, polls = (
        round(MONTH_SECONDS / seconds) for seconds in (renewal_interval(lease), EVERY.total_seconds(), 60)
    )
    lists = MONTH_SECONDS * 22 // 120
    costs = SECTIONS["What it costs"]
    for figure in (renewals, beats, polls, lists, renewals + beats + polls, renewals + beats + polls + lists):
        assert f"{figure:,}" in costs
    saved = renewals - round(MONTH_SECONDS / renewal_interval(300))
    assert f"`LEASE_SECONDS=300`\nsaves {saved:,} of them" in costs
    assert f"{renewals // 30:,} a day" in costs
