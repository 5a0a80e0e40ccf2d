"""What of a person's text may go into a query (pure)."""

import re
import unicodedata

MAX_QUERY_LENGTH = 100
# Pinball Map bans an address for 3 hours (config/initializers/rack_attack.rb of pinballmap/pbm) whose decoded query
# holds "/etc/passwd" or "page=" before anything but a digit, and for "sleep(" or ".php" in the path. Without = / ( < %
# and \ none of these can be written, nor what firewalls in front of such a server look for.
_PUNCTUATION = "'-&.,!"
_SPELLINGS = str.maketrans("‘’ʼ`´‐‑–—", "'''''----")
# What still reads as an attack when written with allowed characters: a file's ending, a step up a folder, a
# database's comment and its most abused words.
_DOTS = re.compile(r"(?<!\w)\.|\.(?=\.|[^\W\d_]{2})")
_DASHES = re.compile(r"-(?=-)")
_UNION = re.compile(r"(?<=union)\s(?=(?:all\s)?select)", re.IGNORECASE)


def clean_query(text: str) -> str:
    """Letters of any script, digits, single blanks and `'-&.,!`; anything else becomes a blank.

    At most `MAX_QUERY_LENGTH` characters, without blanks at the ends, possibly empty. Percent-decoding the result
    changes nothing, and cleaning it again neither.
    """
    # Translated before, because NFKC makes a blank of an acute accent, and after, because it brings apostrophes out.
    spelled = text[: 4 * MAX_QUERY_LENGTH].translate(_SPELLINGS)
    folded = unicodedata.normalize("NFKC", spelled).translate(_SPELLINGS)
    allowed = "".join(letter if _is_allowed(letter) else " " for letter in folded)
    undotted = _single_blanks(_DASHES.sub("", _DOTS.sub(" ", allowed)))
    return _UNION.sub("-", undotted)[:MAX_QUERY_LENGTH].strip()


def _is_allowed(letter: str) -> bool:
    category = unicodedata.category(letter)
    return letter in _PUNCTUATION or category[0] in "LM" or category == "Nd"


def _single_blanks(text: str) -> str:
    return " ".join(text.split())
