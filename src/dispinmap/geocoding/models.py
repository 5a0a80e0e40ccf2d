"""Places, as plain values."""

from dataclasses import dataclass

from dispinmap.errors import DisPinMapError


@dataclass(frozen=True, slots=True)
class Place:
    """One answer of the geocoder. Latitude and longitude are degrees."""

    name: str
    latitude: float
    longitude: float
    region: str | None = None
    country: str | None = None
    country_code: str | None = None
    population: int | None = None

    @property
    def label(self) -> str:
        """Such as "Portland, Oregon, United States"."""
        return ", ".join(part for part in (self.name, self.region, self.country) if part)


class GeocodingError(DisPinMapError):
    """The geocoder gave no usable answer."""
