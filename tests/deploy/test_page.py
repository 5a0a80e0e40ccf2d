"""docs/deploy.md and docs/cloud-run.md say what the files in deploy do."""

import re
import shlex
import subprocess

import pytest

from dispinmap.cli.entry import EXIT_SETTINGS
from dispinmap.settings import Settings
from tests.deploy.dockerfile import ROOT, environment, last
from tests.docs.pages import blocks, read, rows, sections

PAGE = read("docs/deploy.md")
CLOUD_RUN = read("docs/cloud-run.md")
SECTIONS = sections(PAGE, 2)


@pytest.mark.parametrize("block", blocks(PAGE + CLOUD_RUN, "sh"), ids=lambda block: block.splitlines()[0])
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
    given = re.findall(r"-var '?(\w+)=", CLOUD_RUN)
    assert given
    assert set(given) <= set(declared)


def test_what_a_platform_has_to_know_is_what_the_image_says() -> None:
    said = {cells[0]: cells[1] for cells in rows(SECTIONS["Other platforms"])}
    user, group = last("USER").text.split(":")
    assert said["User"].startswith(f"{user}, group {group}:")
    assert said["Writable"].startswith(f"`{last('VOLUME').words[0]}` ")
    assert f"{last('EXPOSE').text} unless set" in said["Port"]
    assert last("EXPOSE").text == str(Settings.port)
    assert f"instead of {environment(0)['LITESTREAM_VERSION']}" in SECTIONS["Other platforms"]
    assert f"(exit code {EXIT_SETTINGS})" in PAGE
