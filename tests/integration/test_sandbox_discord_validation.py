"""What a message may consist of, on the embedded Discord as on the real one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap_sandbox.discord.components import check_selection, leaves, numbered, usable
from dispinmap_sandbox.discord.errors import ApiError
from dispinmap_sandbox.discord.models import Json
from dispinmap_sandbox.discord.validation import check_message, embed_size
from dispinmap_sandbox.errors import SandboxError

BUTTON = {"type": 2, "style": 1, "label": "x", "custom_id": "same"}
MENU = {"type": 3, "custom_id": "m", "options": [{"label": str(n), "value": str(n)} for n in range(26)]}


def row(*components: Json) -> Json:
    return {"type": 1, "components": list(components)}


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        ({"content": "x" * 2001}, ["content"]),
        ({"content": "x", "nonce": "n" * 26}, ["nonce"]),
        ({"embeds": [{"title": "x"}] * 11}, ["embeds"]),
        ({"embeds": [{"description": "x" * 3001}] * 2}, ["embeds"]),
        ({"embeds": [{"title": "x" * 257}]}, ["embeds", "0", "title"]),
        ({"embeds": [{"description": "x" * 4097}]}, ["embeds", "0", "description"]),
        ({"embeds": [{"title": "x", "url": "pinballmap.com"}]}, ["embeds", "0", "url"]),
        ({"embeds": [{"title": "x", "timestamp": "yesterday"}]}, ["embeds", "0", "timestamp"]),
        ({"embeds": [{"title": "x", "color": 1 << 24}]}, ["embeds", "0", "color"]),
        ({"embeds": [{"footer": {"text": "x" * 2049}}]}, ["embeds", "0", "footer", "text"]),
        ({"embeds": [{"author": {"name": "x" * 257}}]}, ["embeds", "0", "author", "name"]),
        ({"embeds": [{"fields": [{"name": "x", "value": "y"}] * 26}]}, ["embeds", "0", "fields"]),
        ({"embeds": [{"fields": [{"name": "x" * 257, "value": "y"}]}]}, ["embeds", "0", "fields", "0", "name"]),
        ({"embeds": [{"fields": [{"name": "x", "value": "y" * 1025}]}]}, ["embeds", "0", "fields", "0", "value"]),
        ({"embeds": [{"fields": [{"name": "x", "value": " "}]}]}, ["embeds", "0", "fields", "0", "value"]),
        ({"components": [BUTTON]}, ["components", "0", "type"]),
        ({"components": [row(BUTTON)] * 6}, ["components"]),
        ({"components": [row(*[BUTTON] * 6)]}, ["components", "0", "components"]),
        ({"components": [row(BUTTON, BUTTON)]}, ["components", "0", "components", "1", "custom_id"]),
        (
            {"components": [row({**BUTTON, "custom_id": "i" * 101})]},
            ["components", "0", "components", "0", "custom_id"],
        ),
        ({"components": [row({**BUTTON, "label": "l" * 81})]}, ["components", "0", "components", "0", "label"]),
        ({"components": [row({"type": 2, "style": 5, "label": "x"})]}, ["components", "0", "components", "0", "url"]),
        ({"components": [row(MENU)]}, ["components", "0", "components", "0", "options"]),
        ({"components": [row(MENU, BUTTON)]}, ["components", "0", "components"]),
    ],
)
def test_what_is_beyond_a_limit_is_refused_with_the_place_named(payload: Json, path: list[str]) -> None:
    with pytest.raises(ApiError) as refused:
        check_message(payload)
    node = refused.value.body["errors"]
    for step in path:
        node = node[step]
    assert refused.value.code == 50035
    assert node["_errors"][0]["message"]


@given(st.lists(st.integers(1, 1024), max_size=25), st.integers(0, 256), st.integers(0, 2048))
def test_all_text_of_an_embed_counts_towards_the_sum(values: list[int], title: int, footer: int) -> None:
    embed = {
        "title": "t" * title,
        "footer": {"text": "f" * footer},
        "fields": [{"name": "n", "value": "v" * value} for value in values],
    }
    size = title + footer + sum(values) + len(values)
    assert embed_size(embed) == size
    if size <= 6000:
        check_message({"embeds": [embed]})
    else:
        with pytest.raises(ApiError):
            check_message({"embeds": [embed]})


def test_a_disabled_control_and_a_selection_out_of_bounds_are_refused() -> None:
    menu = {"type": 3, "custom_id": "m", "options": [{"label": "A", "value": "a"}, {"label": "B", "value": "b"}]}
    rows = [row({"type": 2, "custom_id": "old", "disabled": True}), row(menu)]
    with pytest.raises(SandboxError, match="greyed out"):
        usable(rows, "old", 2)
    with pytest.raises(SandboxError, match="takes 1 to 1 options"):
        check_selection(menu, ["a", "b"])
    check_selection({**menu, "max_values": 2}, ["a", "b"])


def test_components_are_numbered_apart() -> None:
    rows = numbered([row({"type": 2}, {"type": 2}), row({"type": 2})])
    assert [row["id"] for row in rows] == [1, 4]
    assert [leaf["id"] for leaf in leaves(rows)] == [2, 3, 5]
