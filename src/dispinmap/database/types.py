"""Column types."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import BigInteger, DateTime, Dialect, Integer
from sqlalchemy.types import TypeDecorator

# In SQLite a primary key needs its own index unless it is spelled INTEGER, and only INTEGER is numbered automatically.
Id = BigInteger().with_variant(Integer(), "sqlite")


REMEMBERED: Final = 16
"""Results of each column: few, because they stay in memory for good."""


class UtcDateTime(TypeDecorator[datetime]):
    """Stores UTC without an offset, as the legacy tables do, and returns aware datetimes.

    Raises ValueError for a naive datetime, whose zone is unknown. Text in SQLite that is not a time reads as NULL,
    because a row typed by hand must not stop the bot; `dispinmap db verify` reports it.
    """

    impl = DateTime
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        """SQLAlchemy's own, with the last results cached: rows written together share most of their times."""
        write = super().bind_processor(dialect)
        return None if write is None else lru_cache(maxsize=REMEMBERED)(write)

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; pass an aware datetime")
        return value.astimezone(UTC).replace(tzinfo=None)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        if dialect.name != "sqlite":
            return super().result_processor(dialect, coltype)
        read = self.impl_instance.dialect_impl(dialect).result_processor(dialect, coltype)

        def read_or_none(value: object) -> datetime | None:
            try:
                return None if read is None else self.process_result_value(read(value), dialect)
            except (ValueError, TypeError, OverflowError):
                return None

        return lru_cache(maxsize=REMEMBERED)(read_or_none)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
