# SPDX-License-Identifier: GPL-3.0-or-later
"""The curve of a training: what it measured at which step, as a file of JSON lines and as a drawing."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...safe_files import replacing

_WIDTH, _HEIGHT = 720, 400
_LEFT, _TOP, _RIGHT, _BOTTOM = 50, 36, 20, 44  # margins
_INKS = ("#8a8f98", "#2f6fde", "#d9730d", "#2e9e5b", "#b5309b")  # on white and on black alike
LEARNED = "learned from"
_SMOOTHED = 20  # lines of what was learned from, which jump with the pictures' sizes


@dataclass(frozen=True)
class Quantity:
    """What a curve shows of a network.

    name: of the lines' value for the pictures learned from. unit: for the ticks. held_out: what the value
    `held_out_NAME` is called in the drawing, with {} for NAME.
    """

    name: str
    unit: str = ""
    held_out: str = "held out, {}"


class Curve:
    """The lines of a training's curve, in a file that holds no step twice."""

    def __init__(self, path: Path, step: int) -> None:
        """Open the file of a training that stands at a step; later lines, and a torn last one, go."""
        self._path = path
        kept = [line for line in read_curve(path) if line["step"] <= step]
        with replacing(path) as file:
            file.write("".join(_line(line) for line in kept).encode())

    def add(self, line: Mapping[str, float]) -> None:
        """Append a line."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(_line(line))


def read_curve(path: Path) -> list[dict[str, float]]:
    """Return the lines of a curve's file; none if there is no file."""
    return list(_whole(path.read_text("utf-8").splitlines())) if path.exists() else []


def _whole(lines: Iterable[str]) -> Iterable[dict[str, float]]:
    for line in lines:
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            return


def _line(values: Mapping[str, float]) -> str:
    return json.dumps(values) + "\n"


def draw(lines: Sequence[Mapping[str, float]], quantity: Quantity) -> str:
    """Return a curve as an SVG drawing: a quantity over the thousands of pictures seen, learned and held out."""
    learned = [(line["pictures"] / 1000, line[quantity.name]) for line in lines if quantity.name in line]
    series = {LEARNED: _smooth(learned)}
    for name in sorted({key for line in lines for key in line if key.startswith("held_out_")}):
        known = [(line["pictures"] / 1000, line[name]) for line in lines if name in line]
        series[quantity.held_out.format(name.removeprefix("held_out_"))] = known
    series = {name: points for name, points in series.items() if points}
    if not series:
        return _svg([])
    across = [x for points in series.values() for x, _ in points]
    # The first steps are far off: the drawing reaches up to the highest value that was measured.
    upright = sorted(y for points in series.values() for _, y in points)
    measured = [y for name, points in series.items() if name != LEARNED for _, y in points]
    low, high = math.floor(upright[0]), math.ceil(max(measured, default=upright[int(0.97 * (len(upright) - 1))]))
    high = max(high, low + 1)
    last = max(*across, 1e-3)

    def place(x: float, y: float) -> str:
        right = _LEFT + x / last * (_WIDTH - _LEFT - _RIGHT)
        down = _TOP + (high - min(y, high)) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)
        return f"{right:.1f},{down:.1f}"

    parts: list[str] = []
    for y in _ticks(low, high):
        ends = " ".join(place(x, y) for x in (0, last))
        parts += [_line_of(ends, "#8a8f98", 0.4), _text(place(0, y), f"{y:g}{quantity.unit}", "end", -6, 4)]
    parts += [_text(place(x, low), f"{x:g}", "middle", 0, 18) for x in _ticks(0, last)]
    parts.append(_text(place(last / 2, low), "thousand pictures seen", "middle", 0, 36))
    for index, (name, points) in enumerate(series.items()):
        ink = _INKS[index % len(_INKS)]
        parts.append(_line_of(" ".join(place(*point) for point in points), ink, 2))
        parts.append(_text(f"{_LEFT + 190 * index},{_TOP}", name, "start", 0, -14, ink=ink))
    return _svg(parts)


def _smooth(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Average each with those before it."""
    return [
        (x, sum(y for _, y in points[max(0, index - _SMOOTHED + 1) : index + 1]) / min(index + 1, _SMOOTHED))
        for index, (x, _) in enumerate(points)
    ]


def _ticks(low: float, high: float) -> list[float]:
    """Return some round numbers between two."""
    rough = (high - low) / 6
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * round_one for round_one in (1, 2, 5, 10) if power * round_one >= rough)
    return [index * step for index in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _line_of(points: str, ink: str, width: float) -> str:
    return f'<polyline points="{points}" fill="none" stroke="{ink}" stroke-width="{width}"/>'


def _text(at: str, words: str, anchor: str, right: float, down: float, *, ink: str = "#8a8f98") -> str:
    x, y = (float(part) for part in at.split(","))
    return f'<text x="{x + right:.1f}" y="{y + down:.1f}" text-anchor="{anchor}" fill="{ink}">{words}</text>'


def _svg(parts: Iterable[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
    return "\n".join([head + 'font-size="13">', *parts, "</svg>\n"])
