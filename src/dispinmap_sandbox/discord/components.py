"""Buttons and menus: what Discord accepts (pure).

https://discord.com/developers/docs/components/reference. This server knows action rows with buttons or one string
select.
"""

from collections.abc import Iterator, Sequence

from dispinmap_sandbox.discord.forms import REQUIRED, Form
from dispinmap_sandbox.discord.models import Json
from dispinmap_sandbox.errors import SandboxError

ACTION_ROW = 1
BUTTON = 2
STRING_SELECT = 3
LINK_STYLE = 5
ROWS_LIMIT = 5
BUTTONS_PER_ROW = 5
OPTIONS_LIMIT = 25
CUSTOM_ID_LIMIT = 100
LABEL_LIMIT = 80
OPTION_TEXT_LIMIT = 100
PLACEHOLDER_LIMIT = 150

Path = tuple[str | int, ...]


def leaves(components: Sequence[Json]) -> Iterator[Json]:
    """Every button and menu, row by row."""
    for row in components:
        yield from row.get("components") or []


def numbered(components: Sequence[Json]) -> list[Json]:
    """The same components. Those without an id get one, as Discord does it."""
    rows: list[Json] = []
    number = 0
    for row in components:
        number += 1
        copy = {**row, "id": row.get("id") or number, "components": []}
        for leaf in row.get("components") or []:
            number += 1
            copy["components"].append({**leaf, "id": leaf.get("id") or number})
        rows.append(copy)
    return rows


def usable(components: Sequence[Json], custom_id: str, kind: int) -> Json:
    """The button or menu a person uses. Raises SandboxError if it is missing, of another kind or disabled."""
    for leaf in leaves(components):
        if leaf.get("custom_id") == custom_id and leaf["type"] == kind:
            if leaf.get("disabled"):
                raise SandboxError("That control is greyed out, so you can't use it any more.")
            return leaf
    raise SandboxError("That message has no such button or menu (any more): look at it again.")


def check_selection(menu: Json, values: Sequence[str]) -> None:
    """Raises SandboxError for values that the menu does not offer, or for too few or too many."""
    offered = {option["value"] for option in menu["options"]}
    if not offered.issuperset(values):
        raise SandboxError("That menu has no such option: choose one of those it shows.")
    low, high = menu.get("min_values", 1), menu.get("max_values", 1)
    if not low <= len(set(values)) <= high:
        raise SandboxError(f"That menu takes {low} to {high} options: choose more or fewer.")


def check_components(form: Form, components: list[Json]) -> None:
    """Complain about everything Discord would complain about."""
    form.at_most(("components",), components, ROWS_LIMIT)
    for index, row in enumerate(components):
        path: Path = ("components", index)
        if row.get("type") != ACTION_ROW:
            form.complain((*path, "type"), "UNION_TYPE_CHOICES", "Value of field 'type' must be one of (1,).")
            continue
        _check_row(form, path, row.get("components") or [])
    _check_unique(form, components)


def _check_row(form: Form, path: Path, children: list[Json]) -> None:
    form.between((*path, "components"), children, 1, BUTTONS_PER_ROW)
    if len(children) > 1 and any(child.get("type") == STRING_SELECT for child in children):
        form.complain(
            (*path, "components"),
            "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
            "The specified component exceeds the maximum width",
        )
    for index, child in enumerate(children):
        _check_leaf(form, (*path, "components", index), child)


def _check_leaf(form: Form, path: Path, leaf: Json) -> None:
    kind = leaf.get("type")
    if kind == BUTTON:
        _check_button(form, path, leaf)
    elif kind == STRING_SELECT:
        _check_select(form, path, leaf)
    else:
        form.complain((*path, "type"), "UNION_TYPE_CHOICES", "Value of field 'type' must be one of (2, 3).")


def _check_button(form: Form, path: Path, button: Json) -> None:
    form.at_most((*path, "label"), button.get("label"), LABEL_LIMIT)
    if not button.get("label") and not button.get("emoji"):
        form.complain((*path, "label"), *REQUIRED)
    if button.get("style") == LINK_STYLE:
        form.between((*path, "url"), button.get("url"), 1, 512)
    else:
        form.between((*path, "custom_id"), button.get("custom_id"), 1, CUSTOM_ID_LIMIT)


def _check_select(form: Form, path: Path, menu: Json) -> None:
    form.between((*path, "custom_id"), menu.get("custom_id"), 1, CUSTOM_ID_LIMIT)
    form.at_most((*path, "placeholder"), menu.get("placeholder"), PLACEHOLDER_LIMIT)
    options = menu.get("options") or []
    form.between((*path, "options"), options, 1, OPTIONS_LIMIT)
    for index, option in enumerate(options):
        for key in ("label", "value"):
            form.between((*path, "options", index, key), option.get(key), 1, OPTION_TEXT_LIMIT)
        form.at_most((*path, "options", index, "description"), option.get("description"), OPTION_TEXT_LIMIT)
    values = [option.get("value") for option in options]
    for index, value in enumerate(values):
        if value in values[:index]:
            form.complain(
                (*path, "options", index, "value"),
                "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
                "The specified option value is already used",
            )


def _check_unique(form: Form, components: list[Json]) -> None:
    seen: set[str] = set()
    for row_index, row in enumerate(components):
        for index, leaf in enumerate(row.get("components") or []):
            custom_id = leaf.get("custom_id")
            if custom_id in seen:
                form.complain(
                    ("components", row_index, "components", index, "custom_id"),
                    "COMPONENT_CUSTOM_ID_DUPLICATED",
                    "Component custom id cannot be duplicated",
                )
            elif custom_id is not None:
                seen.add(custom_id)
