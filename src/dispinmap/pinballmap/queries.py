"""Cleans a person's text for use in a query (pure)."""

import re
import unicodedata

MAX_QUERY_LENGTH = 100
# Pinball Map bans an address for 3 hours if the decoded query contains "/etc/passwd", or "page=" before anything but a
# digit, or if the path contains "sleep(" or ".php" (config/initializers/rack_attack.rb in pinballmap/pbm). Without
# = / ( < % and \ none of these can be written, nor anything else that firewalls usually look for.
_PUNCTUATION = "'-&.,!"
_SPELLINGS = str.maketrans("‘’ʼ`´‐‑–—", "'''''----")
# Attacks that the allowed characters can still spell: a file extension, a parent folder, an SQL comment and the most
# abused SQL words.
_DOTS = re.compile(r"(?<!\w)\.|\.(?=\.|[^\W\d_]{2})")
_DASHES = re.compile(r"-(?=-)")
_UNION = re.compile(r"(?<=union)\s(?=(?:all\s)?select)", re.IGNORECASE)


def clean_query(text: str) -> str:
    """Keep letters of any script, digits, single blanks and `'-&.,!`; replace anything else with a blank.

    The result has at most `MAX_QUERY_LENGTH` characters and no blanks at its ends, and may be empty. Percent-decoding
    or cleaning it again does not change it.
    """
    # Translate before NFKC, which turns an acute accent into a blank, and after it, because it produces apostrophes.
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
