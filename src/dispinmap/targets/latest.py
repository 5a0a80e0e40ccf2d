"""The latest submissions at a new target."""

from collections.abc import Collection, Sequence

from dispinmap.matching.rules import covered_types, wants
from dispinmap.pinballmap.client import PinballMapClient
from dispinmap.pinballmap.models import Rows, Submission
from dispinmap.targets.kinds import Kinds
from dispinmap.targets.models import Target

LATEST_COUNT = 5


async def fetch(pinballmap: PinballMapClient, target: Target) -> tuple[Submission, ...]:
    """The newest submissions at the target. Raises PinballMapError."""
    answer = None
    if target.location_id is not None:
        answer = await pinballmap.submissions_at(target.location_id)
    elif target.area is not None:
        answer = await pinballmap.submissions_near(target.area.latitude, target.area.longitude, target.area.radius)
    return answer.submissions if isinstance(answer, Rows) else ()


def shown(rows: Sequence[Submission], kinds: Kinds) -> tuple[Submission, ...]:
    """The newest few that the kinds cover, newest first."""
    wanted = [row for row in rows if wants(kinds, row.type)]
    return tuple(sorted(wanted, key=lambda row: (row.created_at, row.id), reverse=True)[:LATEST_COUNT])


def types_of(kinds: Collection[Kinds]) -> frozenset[str] | None:
    """The submission types that any of these kinds cover; None for every type."""
    types: set[str] = set()
    for each in kinds:
        covered = covered_types(each)
        if covered is None:
            return None
        types |= covered
    return frozenset(types)
