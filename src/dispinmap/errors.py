"""The root of every error that has a sentence for a person."""


class DisPinMapError(Exception):
    """Its text is one sentence that says what was wrong and what to do."""


class SettingsError(DisPinMapError):
    """A setting is missing or malformed; the text names the variable and the cure."""


class UserError(DisPinMapError):
    """What a person asked for cannot be done as asked; the text may be shown to them as it is."""
