"""Targets about to be added, from what Pinball Map, the geocoder or a person says (pure)."""

from dispinmap.geocoding.models import Place
from dispinmap.pinballmap.models import Location
from dispinmap.targets.models import DEFAULT_RADIUS_MILES, Area, NewTarget, TargetType


def location_target(location: Location) -> NewTarget:
    return NewTarget(TargetType.LOCATION, location.name, location_id=location.id)


def city_target(place: Place, radius_miles: float | None = None) -> NewTarget:
    """Without a radius the text has none either. Raises UserError for a radius out of range."""
    area = Area(place.latitude, place.longitude, radius_miles)
    return NewTarget(TargetType.CITY, str(area), display_name=place.label)


def point_target(latitude: float, longitude: float, radius_miles: float | None = None) -> NewTarget:
    """The text always has a radius. Raises UserError for anything out of range."""
    area = Area(latitude, longitude, DEFAULT_RADIUS_MILES if radius_miles is None else radius_miles)
    return NewTarget(TargetType.LATLONG, str(area))
