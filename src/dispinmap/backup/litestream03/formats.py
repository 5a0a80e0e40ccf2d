"""Find out which Litestream wrote a replica, so that neither version ever uses a replica of the other.

On Google's storage 0.5 restores nothing from 0.3's data and starts empty, without an error. 0.3 restores its own old
state from a path that 0.5 has written to since, also without an error.
"""

import re
from collections.abc import Iterable
from typing import Final

from dispinmap.backup.errors import BackupError
from dispinmap.backup.models import V5_SUFFIX, Configuration, Format, Replica
from dispinmap.backup.storage.store import Store, StoredObject

_LAYOUTS: Final = {
    Format.V0_3: re.compile(r"generations/[0-9a-f]{16}/.+"),
    Format.V0_5: re.compile(r"(ltx/[0-9]+|[0-9]{4})/[0-9a-f]{16}-[0-9a-f]{16}\.ltx"),
}
"""Keys below the replica's path; 0.5 uses levels of four digits on S3, `ltx/<level>` elsewhere."""


def formats_in(objects: Iterable[StoredObject], path: str) -> set[Format]:
    """The formats of the `objects` below `path`."""
    names = [each.key.removeprefix(f"{path}/") for each in objects]
    return {version for version, layout in _LAYOUTS.items() if any(map(layout.fullmatch, names))}


async def stored_formats(store: Store, path: str) -> set[Format]:
    """The formats of the data at `path`; empty if there is none. Raises StorageError."""
    return formats_in(await store.list(path), path)


async def refuse_mixed_formats(configuration: Configuration, store: Store) -> None:
    """Raise BackupError if we would mix both formats, or silently ignore newer data in the other format.

    Raises StorageError if the storage cannot be read.
    """
    ours, replica = configuration.format, configuration.replica
    (other,) = set(Format) - {ours}
    here = await stored_formats(store, replica.path)
    if other in here:
        raise BackupError(
            f"{replica} holds a backup that Litestream {other} wrote, but {ours} is installed: "
            f"{_cure_here(replica, ours)}"
        )
    if ours is Format.V0_5 and here:
        return
    for sibling in _siblings(replica.path):
        if other in await stored_formats(store, sibling):
            raise BackupError(_beside(replica, sibling, ours))


async def old_path(replica: Replica, store: Store) -> str:
    """The path of 0.3's data for `replica`: its own path or the one beside it; its own if there is no such data."""
    for path in (replica.path, *_siblings(replica.path)):
        if Format.V0_3 in await stored_formats(store, path):
            return path
    return replica.path


def _siblings(path: str) -> list[str]:
    """The paths beside `path` at which the other format may be: the new format's path has the suffix."""
    return [f"{path}{V5_SUFFIX}", *([path.removesuffix(V5_SUFFIX)] if path.endswith(V5_SUFFIX) else ())]


def _cure_here(replica: Replica, ours: Format) -> str:
    if ours is Format.V0_5:
        return (
            f"run `dispinmap backup upgrade-format`, which takes it to {replica}{V5_SUFFIX} and says what to set, or "
            "install dispinmap[litestream], which has Litestream 0.3."
        )
    return "install dispinmap[litestream05], which has Litestream 0.5, or use another path."


def _beside(replica: Replica, sibling: str, ours: Format) -> str:
    if ours is Format.V0_5:
        return (
            f"{replica} is empty, but {sibling} beside it holds a backup that Litestream 0.3 wrote: run `dispinmap "
            "backup upgrade-format` to take it along, or install dispinmap[litestream], which has Litestream 0.3."
        )
    return (
        f"{sibling} beside {replica} holds a backup that Litestream 0.5 wrote later, and 0.3 would silently restore an "
        "older state: install dispinmap[litestream05], which has Litestream 0.5, or, to give up that backup, move "
        f"{sibling} away."
    )
