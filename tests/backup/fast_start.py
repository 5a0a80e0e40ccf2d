"""The bot as `dispinmap start` starts it, but on a fast clock: `python -m tests.backup.fast_start ORIGIN FACTOR`."""

import sys

from dispinmap import log, start
from dispinmap.cli.stopping import run_until_stopped
from dispinmap.settings import Settings
from tests.fakes.fast_clock import FastClock


def main() -> None:
    settings = Settings.load()
    log.configure(settings.log_level, settings.log_format, settings.secrets)
    run_until_stopped(start.start(settings, FastClock(float(sys.argv[1]), float(sys.argv[2])), web_host="127.0.0.1"))


if __name__ == "__main__":
    main()
