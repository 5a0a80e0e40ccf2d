"""Chooses the geocoder's answers that a person meant (pure).

The geocoder accepts only a bare name, and answers with every place that ever had that name in any language: "Portland"
also brings Sandusky, which was once called that, and "München" brings Munich. We match state and country ourselves.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dispinmap.geocoding.models import Place
from dispinmap.geocoding.parsing import Candidate
from dispinmap.geocoding.regions import COUNTRY_ALIASES, fold, is_known, region_names

MAX_PLACES = 10
SAME_PLACE_KM = 5.0
# Places that are smaller, or of unknown size, do not make a town's name ambiguous.
SIGNIFICANT_POPULATION = 1000
_KM_PER_DEGREE = 111.2
_LONGEST_QUALIFIER_WORDS = 4


@dataclass(frozen=True, slots=True)
class Query:
    """A place name without its state or country, and the states and countries that every answer must be in.

    `qualifiers` are written as `fold` writes them.
    """

    name: str
    qualifiers: tuple[str, ...] = ()
    literal: bool = False
    """Accept only places with this name, because there is another way to read the text that must still be tried."""


def queries(text: str) -> tuple[Query, ...]:
    """The queries to try until one finds something: first as written, then with a state or country split off.

    Every split is safe to try, because its answers must be in the state or country that was split off.
    """
    name, *rest = (part.strip() for part in text.split(","))
    if not name:
        return ()
    qualifiers = tuple(qualifier for part in rest if (qualifier := fold(_without_postcode(part))))
    endings = _endings(_without_postcode(name).split())
    known = [(start, end) for start, end in endings if is_known(end)]
    splits = [Query(start, (end, *qualifiers)) for start, end in known or endings[-1:]]
    return (Query(name, qualifiers, literal=bool(known)), *splits)


def _endings(words: Sequence[str]) -> list[tuple[str, str]]:
    """All splits into a beginning and a folded ending. Long endings come first: "West Virginia" before "Virginia"."""
    lengths = range(min(_LONGEST_QUALIFIER_WORDS, len(words) - 1), 0, -1)
    pairs = [(" ".join(words[:-length]), fold(" ".join(words[-length:]))) for length in lengths]
    return [(start, end) for start, end in pairs if end]


def _without_postcode(text: str) -> str:
    return " ".join(word for word in text.split() if not any(letter.isdigit() for letter in word))


def choose(query: Query, candidates: Sequence[Candidate]) -> tuple[Place, ...]:
    """The places that fit, best first, at most 10. There is only one if it is unambiguous, and none if none fits."""
    fitting = [candidate for candidate in candidates if all(_fits(candidate, text) for text in query.qualifiers)]
    named = _named(query, _distinct(_towns(fitting)))
    significant = [candidate for candidate in named if candidate.population >= SIGNIFICANT_POPULATION]
    chosen = significant if len(significant) == 1 else named[:MAX_PLACES]
    return _told_apart(chosen)


def _fits(candidate: Candidate, qualifier: str) -> bool:
    place = candidate.place
    region, country = fold(place.region or ""), fold(place.country or "")
    code = place.country_code or ""
    if qualifier in {region, country, code.lower(), *_county_names(candidate.county)}:
        return True
    return COUNTRY_ALIASES.get(qualifier) == code or (code, region) in region_names(qualifier)


def _county_names(county: str | None) -> tuple[str, ...]:
    name = fold(county or "").removesuffix(" county")
    return (name, f"{name} county") if name else ()


def _towns(candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """Leave out mountains, airports and the like, unless there is nothing else."""
    towns = [candidate for candidate in candidates if (candidate.feature or "PPL").startswith("PPL")]
    return towns or candidates


def _distinct(candidates: Sequence[Candidate]) -> list[Candidate]:
    """By population, each town once: the geocoder lists some towns as a city and again as a district."""
    kept: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda candidate: -candidate.population):
        if not any(_same_town(candidate.place, other.place) for other in kept):
            kept.append(candidate)
    return kept


def _same_town(one: Place, other: Place) -> bool:
    return fold(one.name) == fold(other.name) and _kilometres(one, other) <= SAME_PLACE_KM


def _kilometres(one: Place, other: Place) -> float:
    """Approximate, but good enough for short distances."""
    east = (one.longitude - other.longitude) * math.cos(math.radians(one.latitude))
    return _KM_PER_DEGREE * math.hypot(one.latitude - other.latitude, east)


def _named(query: Query, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Places with exactly this name, and bigger places that a person probably means by it.

    `candidates` are ordered by population. The bigger places are those with a longer name ("Frankfurt am Main"). If
    there are none, it is the biggest place, which has another name ("Munich" for "München"), unless its name only
    completes the word ("Portland" for "Port").
    """
    asked = fold(query.name)
    exact = [candidate for candidate in candidates if _squeezed(candidate) == asked.replace(" ", "")]
    largest = max((candidate.population for candidate in exact), default=-1)
    bigger = [candidate for candidate in candidates if candidate.population > largest]
    longer = [candidate for candidate in bigger if fold(candidate.place.name).startswith(f"{asked} ")]
    if longer or query.literal:
        return longer + exact
    return [c for c in bigger[:1] if not (exact and _squeezed(c).startswith(asked))] + exact


def _squeezed(candidate: Candidate) -> str:
    return fold(candidate.place.name).replace(" ", "")


def _told_apart(candidates: Sequence[Candidate]) -> tuple[Place, ...]:
    """Places with the same name in the same state also get their county."""
    labels = Counter(candidate.place.label for candidate in candidates)
    return tuple(
        replace(candidate.place, region=_region_with_county(candidate))
        if labels[candidate.place.label] > 1
        else candidate.place
        for candidate in candidates
    )


def _region_with_county(candidate: Candidate) -> str | None:
    return ", ".join(part for part in (candidate.county, candidate.place.region) if part) or None
