"""The bot as `dispinmap run` starts it, but on a fast clock: `python -m tests.e2e.fast_bot ORIGIN`."""

import sys

from dispinmap import app, log
from dispinmap.cli.stopping import run_until_stopped
from dispinmap.settings import Settings
from tests.fakes.fast_clock import FastClock


def main() -> None:
    settings = Settings.load()
    log.configure(settings.log_level, settings.log_format, settings.secrets)
    run_until_stopped(app.run(settings, FastClock(float(sys.argv[1])), web_host="127.0.0.1"))


if __name__ == "__main__":
    main()
