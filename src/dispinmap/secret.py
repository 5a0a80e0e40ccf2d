"""Values that must not be shown."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Secret:
    """Hides its value wherever it is printed, logged or part of something that is."""

    _value: str = field(repr=False)

    def get_secret_value(self) -> str:
        """The value in clear text."""
        return self._value

    def __str__(self) -> str:
        return repr(self)
