"""Builds the nested `errors` object of Discord's code 50035 while a form is checked (pure)."""

from collections.abc import Collection

from dispinmap_sandbox.discord.errors import invalid_form
from dispinmap_sandbox.discord.models import Json

REQUIRED = ("BASE_TYPE_REQUIRED", "This field is required")


class Form:
    """Collects complaints by path, such as ("embeds", 0, "title")."""

    def __init__(self) -> None:
        self.errors: Json = {}

    def complain(self, path: tuple[str | int, ...], code: str, message: str) -> None:
        node = self.errors
        for step in path:
            node = node.setdefault(str(step), {})
        node.setdefault("_errors", []).append({"code": code, "message": message})

    def at_most(self, path: tuple[str | int, ...], value: Collection[object] | None, limit: int) -> None:
        """Limit the characters of a text or the elements of a list."""
        if value is not None and len(value) > limit:
            self.complain(path, "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length.")

    def between(self, path: tuple[str | int, ...], value: Collection[object] | None, low: int, high: int) -> None:
        """Like `at_most`, for a value that must not be empty or missing."""
        if not value and low > 0:
            self.complain(path, *REQUIRED)
        elif value is not None and not low <= len(value) <= high:
            self.complain(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")

    def raise_if_bad(self) -> None:
        """Raises ApiError 50035 if there was any complaint."""
        if self.errors:
            raise invalid_form(self.errors)
