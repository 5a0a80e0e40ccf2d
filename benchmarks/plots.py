"""Line plots as SVG, both axes logarithmic, in light and dark."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import Final

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 84, 44, 84, 56
LINE: Final = 22
STYLE: Final = """
text { font: 13px system-ui, sans-serif; fill: #374151 } .title { font-size: 16px; font-weight: 600; fill: #111827 }
.paper { fill: #ffffff } .grid { stroke: #e5e7eb } .line { fill: none; stroke-width: 2.5 } .computed { stroke-dasharray: 6 5 }
.s0 { stroke: #1d4ed8 } .f0 { fill: #1d4ed8 } .s1 { stroke: #c2410c } .f1 { fill: #c2410c } .s2 { stroke: #047857 } .f2 { fill: #047857 }
@media (prefers-color-scheme: dark) {
text { fill: #c9d1d9 } .title { fill: #f0f6fc } .paper { fill: #0d1117 } .grid { stroke: #30363d }
.s0 { stroke: #79b8ff } .f0 { fill: #79b8ff } .s1 { stroke: #ffab70 } .f1 { fill: #ffab70 } .s2 { stroke: #56d4a0 } .f2 { fill: #56d4a0 } }
"""  # noqa: E501 - one rule a line reads worse


@dataclass(frozen=True, slots=True)
class Series:
    """Points (x, y), all above 0. A computed series is drawn with dashes."""

    label: str
    points: Sequence[tuple[float, float]]
    computed: bool = False


def plot(title: str, x_label: str, y_label: str, series: Sequence[Series]) -> str:
    """The picture as SVG text."""
    xs, ys = ([point[axis] for each in series for point in each.points] for axis in (0, 1))
    across, x_ticks = _scale(xs, LEFT, WIDTH - RIGHT)
    up, y_ticks = _scale(ys, HEIGHT - BOTTOM, TOP)
    grid = [
        *(f'<path class="grid" d="M{across(x):.1f} {TOP}V{HEIGHT - BOTTOM}"/>' for x in x_ticks),
        *(f'<path class="grid" d="M{LEFT} {up(y):.1f}H{WIDTH - RIGHT}"/>' for y in y_ticks),
        *(_text(across(x), HEIGHT - BOTTOM + LINE, f"{x:,.10g}", "middle") for x in x_ticks),
        *(_text(LEFT - 10, up(y) + 4, f"{y:,.10g}", "end") for y in y_ticks),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x_label, "middle"),
        _text(20, (TOP + HEIGHT - BOTTOM) / 2, y_label, "middle", turned=True),
    ]
    lines = [_series(number, each, across, up) for number, each in enumerate(series)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' aria-label="{escape(title)}">'
        f'<style>{STYLE}</style><rect class="paper" width="{WIDTH}" height="{HEIGHT}" rx="8"/>'
        f'<text class="title" x="{LEFT}" y="30">{escape(title)}</text>{"".join(grid + lines)}</svg>\n'
    )


def _scale(values: Sequence[float], begin: float, end: float) -> tuple[Callable[[float], float], list[float]]:
    """Where a value lies between two places of the picture, and the powers of ten to be named there."""
    first, last = floor(log10(min(values))), ceil(log10(max(values)))
    last = max(last, first + 1)
    return (
        lambda value: begin + (log10(value) - first) / (last - first) * (end - begin),
        [10.0**power for power in range(first, last + 1)],
    )


def _series(number: int, series: Series, across: Callable[[float], float], up: Callable[[float], float]) -> str:
    places = [(across(x), up(y)) for x, y in series.points]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    dots = "".join(f'<circle class="f{number}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in places)
    style = f"line s{number}{' computed' if series.computed else ''}"
    x, y = LEFT + number * (WIDTH - LEFT - RIGHT) / 3, 58
    key = f'<path class="{style}" d="M{x:.0f} {y}h28"/>' + _text(x + 36, y + 4, series.label, "start")
    return f'<path class="{style}" d="{path}"/>{dots}{key}'


def _text(x: float, y: float, text: str, anchor: str, *, turned: bool = False) -> str:
    turn = f' transform="rotate(-90 {x:.0f} {y:.0f})"' if turned else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turn}>{escape(text)}</text>'
