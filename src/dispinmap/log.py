"""Logging: structlog in front, the standard library's records through the same pipe, secrets masked in every line."""

import logging
import sys
from collections.abc import Collection
from typing import Final, Literal

import stamina
import structlog
from structlog.typing import EventDict, Processor

MASK = "**********"
_QUIET: Final = {
    # Every request at INFO and every frame at DEBUG; its warnings are what matters.
    "discord": logging.WARNING,
    # At each start it warns that voice and the message-content intent are missing, which we do without on purpose.
    "discord.client": logging.ERROR,
    "discord.ext.commands.bot": logging.ERROR,
    # Each revision and plug-in; our own event says from which revision to which.
    "alembic": logging.WARNING,
    "aiosqlite": logging.WARNING,
    # Where it found credentials, and each request at DEBUG with what signs it.
    "botocore": logging.WARNING,
}
"""Loggers of libraries, and the least level from which they are heard."""


def configure(level: str, log_format: Literal["console", "json"], secrets: Collection[str] = ()) -> None:
    """Write to standard error; `secrets` are replaced wherever they appear in a line."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    # An outage is one event when it begins and one when it ends; stamina would tell of every attempt.
    stamina.instrumentation.set_on_retry_hooks([])
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(log_format, secrets)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(logging.getLevelName(level), least))


def _renderers(log_format: Literal["console", "json"], secrets: Collection[str]) -> list[Processor]:
    if log_format == "json":
        render: list[Processor] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        # The default shows every local variable of a traceback, which may hold what nobody should read.
        plain = structlog.dev.plain_traceback
        render = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    return [*render, _Masking(secrets)]


class _Masking:
    """The last processor: it sees the finished line, tracebacks included."""

    def __init__(self, secrets: Collection[str]) -> None:
        self._secrets = [secret for secret in secrets if secret]

    def __call__(self, _logger: object, _method: str, line: EventDict | str) -> str:
        text = str(line)
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text
