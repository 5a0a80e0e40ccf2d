"""Starting the bot, for `dispinmap run` and `dispinmap start`."""

from dispinmap.cli import lean  # noqa: F401, I001 -- before everything that imports structlog
from dispinmap import log
from dispinmap.cli.importing import unsearched
from dispinmap.cli.stopping import run_until_stopped
from dispinmap.clock import SystemClock
from dispinmap.settings import Settings


def run() -> None:
    """Run the bot without a backup until it is stopped. Raises DisPinMapError."""
    settings = _settings()
    with unsearched():
        from dispinmap import app  # noqa: PLC0415 -- reports a wrong setting before the slow imports
    run_until_stopped(app.run(settings, SystemClock()))


def start(*, allow_empty: bool = False) -> None:
    """Run the bot with its backup until it is stopped. Raises DisPinMapError."""
    settings = _settings()
    with unsearched():
        from dispinmap import start  # noqa: PLC0415 -- the same
    run_until_stopped(start.start(settings, SystemClock(), allow_empty=allow_empty))


def _settings() -> Settings:
    settings = Settings.load()
    log.configure(settings.log_level, settings.log_format, settings.secrets)
    return settings
