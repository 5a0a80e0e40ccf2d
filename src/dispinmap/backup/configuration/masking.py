"""Hide credentials in a configuration before it is shown."""

from typing import Final

MASK: Final = "********"
_SECRETS: Final = frozenset(
    {
        *("access-key-id", "secret-access-key", "account-key", "sas-token", "sse-customer-key", "password"),
        *("webdav-password", "jwt", "seed", "nkey", "token", "identities", "heartbeat-url"),
    }
)
"""The keys of credentials. A heartbeat URL is one: anyone who knows it can send heartbeats."""


def masked(value: object) -> object:
    """`value`, a document or a part of one, with each credential replaced by a mask."""
    if isinstance(value, dict):
        return {key: MASK if key in _SECRETS and below else masked(below) for key, below in value.items()}
    return [masked(each) for each in value] if isinstance(value, list) else value
