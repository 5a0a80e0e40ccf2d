"""Pinball Map's answers about locations and machines: pure functions of the world and a query."""

import re

from dispinmap_sandbox.facts import Machine
from dispinmap_sandbox.pacific import to_pacific
from dispinmap_sandbox.pinballmap_feed import Query, miles, point, whole_number
from dispinmap_sandbox.submissions import SubmissionRow, timestamp
from dispinmap_sandbox.world import Placement, World, WorldLocation

FILTERS = ("by_location_name", "by_location_id", "by_machine_id")
"""The filters we support. The real server has many more."""
FILTERING_REQUIRED = "Filtering is required for this action. Please provide a filter when using this endpoint."
NO_LOCATION = "Failed to find location"
SHORTEST_NAME = 3
"""The fewest letters that `autocomplete` answers (API.md)."""
CLOSEST_MILES = 50
LARGEST_CLOSEST_MILES = 500
LEFT_OUT_WITHOUT_DETAILS = frozenset(
    {
        "phone",
        "website",
        "description",
        "created_at",
        "updated_at",
        "date_last_updated",
        "last_updated_by_user_id",
        "region_id",
    }
)

Json = dict[str, object]


def search(world: World, query: Query) -> Json:
    """locations.json, sorted by name: full rows with machines. `no_details` leaves out machines and some fields."""
    if not any(query.get(name) for name in FILTERS):
        return {"errors": FILTERING_REQUIRED}
    found = sorted((place for place in world.locations if _matches(place, query)), key=lambda place: place.name)
    brief = bool(query.get("no_details"))
    return {"locations": [_brief(world, place) if brief else _full(world, place) for place in found]}


def autocomplete(world: World, query: Query) -> list[Json]:
    """locations/autocomplete.json: names that contain the text. Fewer than 3 letters find nothing."""
    text = query.get("name", "").strip().casefold()
    if len(text) < SHORTEST_NAME:
        return []
    return [
        {"label": f"{place.name} ({place.city}, {place.state})", "value": place.name, "id": place.id}
        for place in world.locations
        if text in place.name.casefold()
    ]


def details(world: World, location_id: int, query: Query) -> Json:
    """locations/:id.json: machines and comments. `no_details=1` omits comments, `metadata_only=1` also machines."""
    location = next((place for place in world.locations if place.id == location_id), None)
    if location is None:
        return {"errors": NO_LOCATION}
    if query.get("metadata_only") == "1":
        return _metadata(world, location)
    comments = query.get("no_details") != "1"
    xrefs = [
        _xref(location_id, placed) | (_said(world, location_id, placed) if comments else {})
        for placed in world.placements(location_id)
    ]
    return {**_metadata(world, location), "location_machine_xrefs": xrefs}


def closest(world: World, query: Query) -> Json:
    """locations/closest_by_lat_lon.json: the nearest, or with `send_all_within_distance` all, sorted by distance."""
    reach = min(LARGEST_CLOSEST_MILES, whole_number(query.get("max_distance"), CLOSEST_MILES))
    centre = point(query)
    found = sorted(_around(world, centre, reach), key=lambda pair: pair[0]) if centre else []
    if not found:
        return {"errors": f"No locations within {reach} miles."}
    rows = [_with_names(world, location) for _, location in found]
    return {"locations": rows} if query.get("send_all_within_distance") else {"location": rows[0]}


def machines(world: World) -> Json:
    """machines.json"""
    return {"machines": [_machine(machine) for machine in sorted(world.catalog, key=lambda machine: machine.id)]}


def _matches(location: WorldLocation, query: Query) -> bool:
    name = query.get("by_location_name", "")
    ids, machine_ids = _ids(query, "by_location_id"), _ids(query, "by_machine_id")
    return (
        name.casefold() in location.name.casefold()
        and (not ids or str(location.id) in ids)
        and (not machine_ids or any(str(machine.id) in machine_ids for machine in location.machines))
    )


def _ids(query: Query, name: str) -> set[str]:
    return {value for value in query.getall(name, []) if value}


def _around(world: World, centre: tuple[float, float], reach: float) -> list[tuple[float, WorldLocation]]:
    distances = ((miles(*centre, place.latitude, place.longitude), place) for place in world.locations)
    return [(distance, place) for distance, place in distances if distance <= reach]


def _brief(world: World, location: WorldLocation) -> Json:
    return {key: value for key, value in _metadata(world, location).items() if key not in LEFT_OUT_WITHOUT_DETAILS}


def _full(world: World, location: WorldLocation) -> Json:
    placed = world.placements(location.id)
    xrefs = [{**_xref(location.id, each), "machine": _machine(each.machine)} for each in placed]
    return {**_metadata(world, location), "location_machine_xrefs": xrefs}


def _metadata(world: World, location: WorldLocation) -> Json:
    """The location's own fields. Coordinates are text here, unlike in submissions (API.md)."""
    placed = world.placements(location.id)
    latest = next((row for row in world.submissions if row.venue.id == location.id), None)
    updated = latest.created_at if latest else None
    return {
        "id": location.id,
        "name": location.name,
        "street": None,
        "city": location.city,
        "state": location.state,
        "zip": None,
        "phone": None,
        "lat": str(location.latitude),
        "lon": str(location.longitude),
        "website": None,
        "created_at": timestamp(min(placement.created_at for placement in placed)) if placed else None,
        "updated_at": timestamp(updated) if updated else None,
        "zone_id": None,
        "region_id": location.region_id,
        "location_type_id": None,
        "description": None,
        "operator_id": None,
        "date_last_updated": to_pacific(updated).date().isoformat() if updated else None,
        "last_updated_by_user_id": latest.user.id if latest else None,
        "is_stern_army": False,
        "country": location.country,
        "ic_active": None,
        "machine_count": len(placed),
        "last_updated_by_username": latest.user.name if latest else "",
        "num_machines": len(placed),
    }


def _with_names(world: World, location: WorldLocation) -> Json:
    return {
        **_metadata(world, location),
        "machine_names": [machine.name for machine in location.machines],
        "machine_ids": [machine.id for machine in location.machines],
    }


def _xref(location_id: int, placed: Placement) -> Json:
    return {
        "id": placed.id,
        "created_at": timestamp(placed.created_at),
        "updated_at": timestamp(placed.created_at),
        "location_id": location_id,
        "machine_id": placed.machine.id,
        "user_id": placed.user.id,
        "machine_score_xrefs_count": None,
        "ic_enabled": None,
        "last_updated_by_username": placed.user.name,
    }


def _said(world: World, location_id: int, placed: Placement) -> Json:
    """The comments since the machine was added. Removing it and adding it again clears them."""
    conditions = [
        _condition(placed.id, row)
        for row in world.submissions
        if row.comment is not None
        and row.venue.id == location_id
        and row.machine == placed.machine
        and row.created_at >= placed.created_at
    ]
    return {"machine_conditions": conditions, "machine_score_xrefs": []}


def _condition(xref_id: int, said: SubmissionRow) -> Json:
    return {
        "id": said.id,
        "comment": said.comment,
        "location_machine_xref_id": xref_id,
        "created_at": timestamp(said.created_at),
        "updated_at": timestamp(said.created_at),
        "user_id": said.user.id,
        "username": said.user.name,
    }


def _machine(machine: Machine) -> Json:
    """The catalogue has separate name, maker and year. Submissions have one text."""
    parts = re.fullmatch(r"(.+) \(([^()]+), (\d{4})\)", machine.name)
    name, maker, year = parts.groups() if parts else (machine.name, None, None)
    return {"id": machine.id, "name": name, "manufacturer": maker, "year": int(year) if year else None}
