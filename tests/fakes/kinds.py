"""Any choice of kinds, for properties."""

from hypothesis import strategies as st

from dispinmap.targets.kinds import Kinds, NotificationKind

ANY_KINDS = st.frozensets(st.sampled_from(NotificationKind), min_size=1).map(Kinds)
