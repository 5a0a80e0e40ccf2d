"""The entry point of `dispinmap`, and how it shows errors."""

import sys
from typing import Final

from dispinmap.cli.importing import unsearched
from dispinmap.errors import DisPinMapError, SettingsError

EXIT_FAILURE: Final = 1
EXIT_SETTINGS: Final = 2


def main() -> None:
    """Run the command. If it fails with one of our errors, print only its sentence."""
    try:
        _run(sys.argv[1:])
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(EXIT_SETTINGS)
    except DisPinMapError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(EXIT_FAILURE)


def _run(words: list[str]) -> None:
    # Without options the bot does not need Typer and Rich, which cost 5 MiB and a tenth of a second.
    if words in (["run"], ["start"]):
        with unsearched():
            from dispinmap.cli import launching  # noqa: PLC0415 -- only the commands that start the bot need it
        launching.run() if words == ["run"] else launching.start()
    else:
        from dispinmap.cli.main import app  # noqa: PLC0415 -- it imports Typer

        app()
