"""Finds what a person means: locations on Pinball Map, places at the geocoder."""

from dispinmap.clock import Clock
from dispinmap.errors import UserError
from dispinmap.geocoding.client import GeocodingClient
from dispinmap.geocoding.models import Place
from dispinmap.pinballmap.client import PinballMapClient
from dispinmap.pinballmap.models import Location, LocationHint
from dispinmap.targets.naming import fold, location_id_in, ranked, search_text, unquoted
from dispinmap.targets.suggestions import Suggestions


class Lookup:
    """Its methods raise UserError, PinballMapError or GeocodingError with a sentence for the person who asked."""

    def __init__(self, pinballmap: PinballMapClient, geocoder: GeocodingClient, clock: Clock) -> None:
        self._pinballmap = pinballmap
        self._geocoder = geocoder
        self._suggestions = Suggestions(pinballmap.autocomplete, clock)

    async def locations(self, text: str) -> tuple[Location, ...]:
        """Find locations by id, link or name. Returns one location if the match is exact."""
        wanted = unquoted(text)
        if not fold(wanted):
            raise UserError("Which location? Give its name, its Pinball Map id or its pinballmap.com link.")
        location_id = location_id_in(wanted)
        if location_id is not None:
            location = await self._pinballmap.location(location_id)
            if location is not None:
                return (location,)
            if not wanted.isdecimal():
                return ()
        # A number can also be a name: there are arcades called 1984.
        return ranked(wanted, await self._pinballmap.search_locations(search_text(wanted)))

    async def suggestions(self, text: str) -> tuple[LocationHint, ...]:
        return await self._suggestions.suggest(unquoted(text))

    async def places(self, text: str) -> tuple[Place, ...]:
        wanted = unquoted(text)
        if not fold(wanted):
            raise UserError("Which city? Give its name, such as “Portland, OR” or “Birmingham, UK”.")
        return await self._geocoder.search(wanted)
