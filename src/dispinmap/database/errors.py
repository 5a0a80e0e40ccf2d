"""What can be wrong with the database."""

from dispinmap.errors import DisPinMapError


class DatabaseError(DisPinMapError):
    """The database cannot be used as it is; the text says what is wrong and what to do."""
