"""Logging with structlog. The standard library's records are written the same way, and secrets are always masked."""

import logging
import sys
from collections.abc import Collection
from typing import Final, Literal

import stamina
import structlog
from structlog.typing import EventDict, Processor

MASK = "**********"
_QUIET: Final = {
    # It logs every request at INFO and every frame at DEBUG; only its warnings matter.
    "discord": logging.WARNING,
    # At each start it warns about missing voice support and message-content intent, which we leave out on purpose.
    "discord.client": logging.ERROR,
    "discord.ext.commands.bot": logging.ERROR,
    # It logs each revision and plug-in; our own event names the first and last revision.
    "alembic": logging.WARNING,
    "aiosqlite": logging.WARNING,
    # It logs the source of credentials and, at DEBUG, each request with its signature.
    "botocore": logging.WARNING,
}
"""Loggers of libraries, and the lowest level of theirs that we write."""


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
    # We log an outage once when it begins and once when it ends; stamina would log every attempt.
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
        # The default prints every local variable of a traceback, which may hold secrets.
        plain = structlog.dev.plain_traceback
        render = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    return [*render, _Masking(secrets)]


class _Masking:
    """The last processor, because it must see the finished line, including tracebacks."""

    def __init__(self, secrets: Collection[str]) -> None:
        self._secrets = [secret for secret in secrets if secret]

    def __call__(self, _logger: object, _method: str, line: EventDict | str) -> str:
        text = str(line)
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text
