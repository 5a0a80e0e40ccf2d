"""What became of each target of an adopted database (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from dispinmap.database.adopt.cities import Found
from dispinmap.database.adopt.rows import Draft, Row
from dispinmap.database.adopt.shapes import Shape
from dispinmap.database.adopt.staging import Key
from dispinmap.database.queries.targets import to_target
from dispinmap.database.tables import MonitoringTargetRow


class Fate(StrEnum):
    SAME = "same"
    FOUND = "found again"
    MERGED = "merged"
    MARKED = "marked"


@dataclass(frozen=True, slots=True)
class TargetReport:
    """One target: what it was, what it is now under `new_id`, and why."""

    old_id: int
    channel_id: int
    was: str
    becomes: str
    fate: Fate
    new_id: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class AdoptionReport:
    """What an adoption did, or would do if `dry_run` is set."""

    file: str
    into: str
    shape: Shape
    litestream: bool
    dry_run: bool
    channels: int
    new_channels: int
    seen: int
    targets: Sequence[TargetReport]

    @property
    def counts(self) -> dict[Fate, int]:
        """How many targets had each fate."""
        return {fate: sum(row.fate is fate for row in self.targets) for fate in Fate}

    def as_json(self) -> dict[str, Any]:
        """Everything, for `json.dumps`."""
        return asdict(self) | {"counts": self.counts}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of an adopted database's targets after they are written. Mappings are by the old id."""

    keys: Mapping[int, Key]
    survivors: Mapping[int, MonitoringTargetRow]
    """The targets that were not merged on the way to head."""
    new_ids: Mapping[int, int]
    """Of the survivors."""
    merged_into_ours: frozenset[int]
    """Survivors that were merged into one of our targets."""
    drafts: Mapping[int, Draft]
    found: Mapping[str, Found]


def report_rows(originals: Sequence[Row], outcome: Outcome) -> list[TargetReport]:
    """A row for every target of the source, in its order."""
    by_key = {outcome.keys[id_]: id_ for id_ in outcome.survivors}
    return [_row(original, by_key[outcome.keys[original["id"]]], outcome) for original in originals]


def _row(original: Row, survivor_id: int, outcome: Outcome) -> TargetReport:
    old_id, survivor, new_id = original["id"], outcome.survivors[survivor_id], outcome.new_ids[survivor_id]
    draft = outcome.drafts.get(old_id)
    found = outcome.found.get(draft.lost_city or "") if draft else None
    problem = to_target(survivor).problem
    notes = [found.sentence if found else "", problem or ""]
    fate = Fate.MARKED if problem else Fate.FOUND if found and found.area else Fate.SAME
    if old_id != survivor_id or survivor_id in outcome.merged_into_ours:
        fate = Fate.MERGED
        notes.insert(0, f"Merged into #{new_id}.")
    return TargetReport(
        old_id=old_id,
        channel_id=original["channel_id"],
        was=_was(original),
        becomes=_text(survivor.target_type, survivor.display_name or survivor.target_name, _where(survivor)),
        fate=fate,
        new_id=new_id,
        note=" ".join(note for note in notes if note),
    )


def _where(row: MonitoringTargetRow) -> object:
    if row.location_id is not None:
        return row.location_id
    return row.target_name if row.display_name not in (None, row.target_name) else None


def _was(row: Row) -> str:
    point = [row[name] for name in ("latitude", "longitude", "radius_miles") if row.get(name) is not None]
    details = [row.get("target_data"), row.get("location_id"), ",".join(map(str, point)) or None]
    if row.get("display_name"):
        details.append(row.get("target_name"))
    name = row.get("display_name") or row.get("target_name")
    return _text(row["target_type"], name, next((one for one in details if one is not None), None))


def _text(target_type: object, name: object, detail: object) -> str:
    return f"{target_type} “{name}”" + ("" if detail is None else f" ({detail})")
