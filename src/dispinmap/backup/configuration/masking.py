"""A configuration to be shown: without what only its owner may know."""

from typing import Final

MASK: Final = "********"
_SECRETS: Final = frozenset(
    {
        *("access-key-id", "secret-access-key", "account-key", "sas-token", "sse-customer-key", "password"),
        *("webdav-password", "jwt", "seed", "nkey", "token", "identities", "heartbeat-url"),
    }
)
"""Keys; a heartbeat's address is all that is needed to send one."""


def masked(value: object) -> object:
    """`value`, part of a document, with a mask for each credential."""
    if isinstance(value, dict):
        return {key: MASK if key in _SECRETS and below else masked(below) for key, below in value.items()}
    return [masked(each) for each in value] if isinstance(value, list) else value
