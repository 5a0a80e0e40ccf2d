"""The kinds of an adopted target that meets an equal one."""

import pytest

from dispinmap.database.adopt.plan import Known, plan
from dispinmap.targets.kinds import Kinds
from dispinmap.targets.models import Channel
from tests.fakes.values import kinds_of

KEY = (1, "location", 874)


@pytest.mark.parametrize(
    ("adopted", "there", "merged"),
    [
        (kinds_of("scores"), kinds_of("comments"), kinds_of("comments", "scores")),
        (kinds_of("scores"), None, kinds_of("machines", "scores")),
        (None, kinds_of("scores"), kinds_of("machines", "scores")),
        (kinds_of("machines"), None, None),
        (kinds_of("machines"), kinds_of("machines"), kinds_of("machines")),
        (kinds_of("all"), kinds_of("comments"), kinds_of("all")),
        (None, None, None),
    ],
)
def test_a_merged_target_gets_the_kinds_of_both(
    adopted: Kinds | None, there: Kinds | None, merged: Kinds | None
) -> None:
    channels = {1: Channel(1, 1)}
    (step,) = plan([Known(5, KEY, None, adopted)], channels, [Known(9, KEY, None, there)], channels)
    assert (step.into, step.kinds) == (9, merged)
