"""deploy/systemd: the bot ends before Litestream, and may write to little."""

import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest
from dotenv import dotenv_values

from dispinmap.app import CLOSE_SECONDS
from dispinmap.cli.entry import EXIT_SETTINGS
from dispinmap.settings import Settings
from dispinmap.start import STOP_SECONDS
from tests.deploy.dockerfile import ROOT

FOLDER = ROOT / "deploy" / "systemd"
UNIT = FOLDER / "dispinmap.service"
EXAMPLE = FOLDER / "dispinmap.env.example"
STATE = "/var/lib/dispinmap"


def _values(name: str) -> list[str]:
    """What the unit says of it, in order."""
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text("utf-8"), re.MULTILINE)


def test_systemd_understands_all_of_it(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze here")
    # The program is not installed here, and that is all that may be missing.
    unit = tmp_path / UNIT.name
    unit.write_text(re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text("utf-8")))
    command = ["systemd-analyze", "verify", "--man=no", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_it_starts_the_bot_with_its_backup() -> None:
    (command,) = _values("ExecStart")
    assert command.split()[1:] == ["start"]


def test_the_signal_to_stop_goes_to_the_bot_alone_which_has_time_enough() -> None:
    assert _values("KillMode") == ["mixed"]
    assert not _values("KillSignal")
    (seconds,) = _values("TimeoutStopSec")
    assert int(seconds) > CLOSE_SECONDS + STOP_SECONDS


def test_a_failure_is_tried_again_but_for_what_somebody_has_to_change() -> None:
    assert _values("Restart") == ["on-failure"]
    assert _values("RestartPreventExitStatus") == [str(EXIT_SETTINGS)]
    assert _values("StartLimitIntervalSec") == ["0"]


def test_it_is_nobody_in_particular_and_can_become_nobody_else() -> None:
    assert _values("User") == ["dispinmap"]
    assert _values("NoNewPrivileges") == ["yes"]
    assert _values("CapabilityBoundingSet") == _values("AmbientCapabilities") == [""]
    assert _values("MemoryMax") == ["256M"]


def test_the_example_s_database_and_backup_are_where_the_unit_lets_it_write() -> None:
    given = dotenv_values(EXAMPLE)
    assert _values("ProtectSystem") == ["strict"]
    assert f"/var/lib/{_values('StateDirectory')[0]}" == STATE == _values("WorkingDirectory")[0]
    assert Path(str(given["LITESTREAM_PATH"])).parent == Path(STATE)
    (backups,) = _values("ReadWritePaths")
    assert Path(str(given["LITESTREAM_REPLICA_URL"]).removeprefix("file://")).parent == Path(backups.removeprefix("-"))


def test_the_example_names_settings_and_holds_no_token() -> None:
    given = dotenv_values(EXAMPLE)
    assert given.keys() <= {each.name.upper() for each in fields(Settings)}
    assert {name for name, value in given.items() if not value} == {"DISCORD_TOKEN", "PINBALLMAP_API_TOKEN"}
