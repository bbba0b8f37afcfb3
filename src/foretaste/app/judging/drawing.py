"""The curve as SVG: what one points at says its numbers."""

from collections.abc import Callable, Sequence
from html import escape
from math import floor, log10

from foretaste.app.judging.panels import Panel, Spot, bounds

WIDTH, HEIGHT, LEFT, BELOW, ABOVE, RIGHT = 380, 320, 58, 48, 14, 14
TONES = ("first", "second")


def drawn_curve(panels: Sequence[Panel]) -> str:
    """Return one SVG with the panels side by side and a legend below them."""
    width, height = WIDTH * len(panels), HEIGHT + 34
    inner = "".join(
        f'<g transform="translate({place * WIDTH} 0)">{_panel(panel)}</g>'
        for place, panel in enumerate(panels)
    )
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" '
        f'aria-label="accuracy against variety">{inner}{_legend(panels)}</svg>'
    )


def _panel(panel: Panel) -> str:
    spots = [spot for line in panel.lines.values() for spot in line]
    left, right = bounds([spot.x for spot in spots])
    low, high = bounds([spot.y for spot in spots])
    wide, tall = WIDTH - LEFT - RIGHT, HEIGHT - BELOW - ABOVE

    def across(x: float) -> float:
        return LEFT + (x - left) / (right - left) * wide

    def up(y: float) -> float:
        return ABOVE + (high - y) / (high - low) * tall

    frame = f'<rect class="frame" x="{LEFT}" y="{ABOVE}" width="{wide}" height="{tall}" rx="4"/>'
    axes = "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up(y):.1f}" y2="{up(y):.1f}"/>'
        f'<text class="soft" x="{LEFT - 8}" y="{up(y) + 4:.1f}" text-anchor="end">{y:g}</text>'
        for y in ticks(low, high)
    ) + "".join(
        f'<line class="grid" y1="{ABOVE}" y2="{ABOVE + tall}" x1="{across(x):.1f}" x2="{across(x):.1f}"/>'
        f'<text class="soft" x="{across(x):.1f}" y="{ABOVE + tall + 18}" text-anchor="middle">{x:g}</text>'
        for x in ticks(left, right)
    )
    names = (
        f'<text x="{LEFT + wide / 2}" y="{ABOVE + tall + 38}" text-anchor="middle">'
        f"{escape(panel.x_name)}</text>"
        f'<text transform="translate(13 {ABOVE + tall / 2}) rotate(-90)" text-anchor="middle">'
        f"{escape(panel.y_name)} →</text>"
    )
    lines = "".join(
        _line(line, tone, across, up) for tone, line in zip(TONES, panel.lines.values(), strict=True)
    )
    usual = next(spot for spot in spots if spot.usual)
    x, y = across(usual.x), up(usual.y)
    ring = (
        f'<g><title>{escape(usual.told)}</title><circle class="usual" cx="{x:.1f}" cy="{y:.1f}" r="6.5"/>'
        f'<text x="{x + 10:.1f}" y="{y - 6:.1f}">as it ships</text></g>'
    )
    return frame + axes + names + lines + ring


def _line(
    line: Sequence[Spot], tone: str, across: Callable[[float], float], up: Callable[[float], float]
) -> str:
    path = " ".join(f"{across(spot.x):.1f},{up(spot.y):.1f}" for spot in line)
    right = tone == TONES[0]
    dots = [
        f"<g><title>{escape(spot.told)}</title>"
        f'<circle class="dot" cx="{across(spot.x):.1f}" cy="{up(spot.y):.1f}" r="4.5"/></g>'
        for spot in line
    ]
    labels = [
        f'<text class="soft" x="{across(spot.x) + (8 if right else -8):.1f}" '
        f'y="{up(spot.y) + (-7 if right else 15):.1f}" text-anchor="{"start" if right else "end"}">'
        f"{spot.label}</text>"
        for spot in line
        if spot.label
    ]
    return f'<g class="{tone}"><polyline class="curve" points="{path}"/>{"".join(dots + labels)}</g>'


def _legend(panels: Sequence[Panel]) -> str:
    names = list(panels[0].lines) if panels else []
    shown = [
        f'<g class="{tone}" transform="translate({LEFT + place * 250} {HEIGHT + 18})">'
        f'<line class="curve" x1="0" x2="22" y1="0" y2="0"/><circle class="dot" cx="11" cy="0" r="4.5"/>'
        f'<text x="30" y="4">{escape(name)}</text></g>'
        for place, (tone, name) in enumerate(zip(TONES, names, strict=False))
    ]
    usual = (
        f'<g transform="translate({LEFT + 500} {HEIGHT + 18})">'
        '<circle class="usual" cx="11" cy="0" r="6.5"/><text x="26" y="4">as it ships</text></g>'
    )
    return "".join(shown) + usual


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return at most `most` round numbers between `low` and `high`, evenly apart."""
    step = 10.0 ** floor(log10((high - low) / most))
    step *= next(times for times in (1, 2, 5, 10) if (high - low) / (step * times) <= most)
    first = floor(low / step) + 1
    return [round(step * place, 10) for place in range(first, first + most + 1) if step * place <= high]
