"""Targets about to be added, from what Pinball Map, the geocoder or a person says (pure)."""

from dataclasses import replace

from dispinmap.geocoding.models import Place
from dispinmap.pinballmap.models import Location
from dispinmap.targets.models import Area, NewTarget, TargetType


def location_target(location: Location) -> NewTarget:
    return NewTarget(TargetType.LOCATION, location.name, location_id=location.id)


def city_target(place: Place, radius_miles: float | None = None) -> NewTarget:
    """Without a radius the text has none either. Raises UserError for a radius out of range."""
    area = Area(place.latitude, place.longitude, radius_miles)
    return NewTarget(TargetType.CITY, str(area), display_name=place.label)


def point_target(latitude: float, longitude: float, radius_miles: float | None = None) -> NewTarget:
    """Raises UserError for anything out of range."""
    return NewTarget(TargetType.LATLONG, str(Area(latitude, longitude, radius_miles)))


def to_store(new: NewTarget) -> NewTarget:
    """A point is stored with its radius, a city only with one that was asked for."""
    if new.type is not TargetType.LATLONG or new.area is None:
        return new
    return replace(new, target_name=str(replace(new.area, radius_miles=new.area.radius)))
