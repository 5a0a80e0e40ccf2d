"""The error of this package."""

from dispinmap.errors import DisPinMapError


class DatabaseError(DisPinMapError):
    """The database cannot be used as it is; the text says what is wrong and what to do."""
