"""The states of notifications and messages."""

from enum import StrEnum


class NotificationState(StrEnum):
    PENDING = "pending"
    """Promised; held, waiting for its target, due, or in a message not yet acknowledged."""
    SENT = "sent"
    CANCELLED = "cancelled"
    """Not news after all: the machine came back, or the target was removed."""
    REJECTED = "rejected"
    """Discord will never accept its message; reported when it happened."""


class MessageState(StrEnum):
    PENDING = "pending"
    SENT = "sent"
    REJECTED = "rejected"
