"""What people write after a city's name: states, provinces and countries (pure).

Abbreviations of states and provinces are those of the post offices of the United States and Canada. The geocoder's
answers have an ISO 3166-1 country code and an English name for the country. So this lists only other names, and names
of several words, which would otherwise look like the end of a town's name.
"""

import re
import unicodedata

US_STATES = {
    "al": "Alabama", "ak": "Alaska", "az": "Arizona", "ar": "Arkansas", "ca": "California", "co": "Colorado",
    "ct": "Connecticut", "de": "Delaware", "dc": "District of Columbia", "fl": "Florida", "ga": "Georgia",
    "hi": "Hawaii", "id": "Idaho", "il": "Illinois", "in": "Indiana", "ia": "Iowa", "ks": "Kansas", "ky": "Kentucky",
    "la": "Louisiana", "me": "Maine", "md": "Maryland", "ma": "Massachusetts", "mi": "Michigan", "mn": "Minnesota",
    "ms": "Mississippi", "mo": "Missouri", "mt": "Montana", "ne": "Nebraska", "nv": "Nevada", "nh": "New Hampshire",
    "nj": "New Jersey", "nm": "New Mexico", "ny": "New York", "nc": "North Carolina", "nd": "North Dakota",
    "oh": "Ohio", "ok": "Oklahoma", "or": "Oregon", "pa": "Pennsylvania", "ri": "Rhode Island",
    "sc": "South Carolina", "sd": "South Dakota", "tn": "Tennessee", "tx": "Texas", "ut": "Utah", "vt": "Vermont",
    "va": "Virginia", "wa": "Washington", "wv": "West Virginia", "wi": "Wisconsin", "wy": "Wyoming",
}  # fmt: skip
CANADIAN_PROVINCES = {
    "ab": "Alberta", "bc": "British Columbia", "mb": "Manitoba", "nb": "New Brunswick",
    "nl": "Newfoundland and Labrador", "ns": "Nova Scotia", "nt": "Northwest Territories", "nu": "Nunavut",
    "on": "Ontario", "pe": "Prince Edward Island", "pei": "Prince Edward Island", "qc": "Quebec",
    "sk": "Saskatchewan", "yt": "Yukon",
}  # fmt: skip
COUNTRY_ALIASES = {
    "uk": "GB", "great britain": "GB", "britain": "GB", "united kingdom": "GB",
    "usa": "US", "us": "US", "america": "US", "united states": "US", "united states of america": "US",
    "new zealand": "NZ", "south africa": "ZA",
    "deutschland": "DE", "osterreich": "AT", "schweiz": "CH", "suisse": "CH", "svizzera": "CH", "espana": "ES",
    "italia": "IT", "nederland": "NL", "holland": "NL", "the netherlands": "NL", "netherlands": "NL", "belgie": "BE",
    "belgique": "BE", "sverige": "SE", "norge": "NO", "danmark": "DK", "suomi": "FI", "polska": "PL", "cesko": "CZ",
    "czech republic": "CZ", "czechia": "CZ", "magyarorszag": "HU", "brasil": "BR", "turkey": "TR", "turkiye": "TR",
    "korea": "KR", "south korea": "KR", "nippon": "JP", "eire": "IE", "uae": "AE", "russia": "RU",
}  # fmt: skip
REGION_ALIASES = {
    "bayern": "Bavaria", "hessen": "Hesse", "niedersachsen": "Lower Saxony", "nrw": "North Rhine-Westphalia",
    "nordrhein westfalen": "North Rhine-Westphalia", "rheinland pfalz": "Rhineland-Palatinate", "sachsen": "Saxony",
    "sachsen anhalt": "Saxony-Anhalt", "thuringen": "Thuringia",
}  # fmt: skip

# Letters that Unicode does not decompose into a plain letter and a mark.
_PLAIN = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
_SHORT = {"saint": "st", "sainte": "ste", "fort": "ft", "mount": "mt"}


def fold(text: str) -> str:
    """The text for comparing place names: plain lower case, single blanks, "D.C." as "dc", "saint" as "st"."""
    lower = unicodedata.normalize("NFKD", text).casefold()
    decomposed = unicodedata.normalize("NFKD", lower).translate(_PLAIN)
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    words = re.split(r"[\W_]+", re.sub(r"['’.]", "", plain))
    return " ".join(_SHORT.get(word, word) for word in words if word)


def region_names(qualifier: str) -> frozenset[tuple[str, str]]:
    """The regions that a folded qualifier abbreviates, as pairs of country code and folded name."""
    found = [
        ("US", US_STATES.get(qualifier)),
        ("CA", CANADIAN_PROVINCES.get(qualifier)),
        ("DE", REGION_ALIASES.get(qualifier)),
    ]
    return frozenset((code, fold(name)) for code, name in found if name)


def is_known(qualifier: str) -> bool:
    """Whether these lists have the folded text as a state, province or country."""
    return qualifier in _KNOWN


_KNOWN = frozenset(US_STATES) | frozenset(CANADIAN_PROVINCES) | frozenset(COUNTRY_ALIASES) | frozenset(REGION_ALIASES)
_KNOWN |= frozenset(fold(name) for name in (*US_STATES.values(), *CANADIAN_PROVINCES.values()))
