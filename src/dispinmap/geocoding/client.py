"""Open-Meteo's geocoder over HTTP."""

from dispinmap.geocoding.models import Place


class GeocodingClient:
    """Turns what a person typed into places. Raises GeocodingError."""

    async def search(self, text: str) -> tuple[Place, ...]:
        """Places for "Portland, OR", "Birmingham, UK" or "München": best first, one if it is unambiguous."""
        raise NotImplementedError
