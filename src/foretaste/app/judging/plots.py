"""The curve as a PNG; a module of its own because matplotlib is optional."""

from collections.abc import Sequence
from pathlib import Path

from foretaste.app.judging.panels import Panel
from foretaste.domain.errors import MissingExtraError

try:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
except ModuleNotFoundError as error:
    raise MissingExtraError("plots need matplotlib: pip install 'foretaste[plots]'", field="curve") from error

TONES = ("#d9480f", "#1c6dd0")
INK, SOFT, LINE = "#1d2330", "#667085", "#e4e7ec"
DPI = 144


def save_curve(panels: Sequence[Panel], path: Path) -> None:
    """Write the panels side by side as a PNG."""
    figure = Figure(figsize=(4.6 * len(panels), 4.3), layout="constrained")
    figure.suptitle("What variety costs", x=0.01, ha="left", fontsize=13, fontweight="bold", color=INK)
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _draw(axes, panel)
    handles, names = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower left", ncols=3, frameon=False, fontsize=9)
    figure.savefig(path, dpi=DPI)


def _draw(axes: Axes, panel: Panel) -> None:
    for tone, (name, line) in zip(TONES, panel.lines.items(), strict=True):
        side = 1 if tone == TONES[0] else -1
        x, y = [spot.x for spot in line], [spot.y for spot in line]
        axes.plot(x, y, color=tone, marker="o", markersize=4.5, linewidth=1.8, label=name)
        for spot in line:
            if spot.label:
                axes.annotate(
                    spot.label,
                    (spot.x, spot.y),
                    xytext=(5 * side, 4 * side),
                    textcoords="offset points",
                    fontsize=8,
                    color=SOFT,
                    ha="left" if side > 0 else "right",
                    va="bottom" if side > 0 else "top",
                )
    usual = next(spot for line in panel.lines.values() for spot in line if spot.usual)
    axes.annotate(
        "as it ships", (usual.x, usual.y), xytext=(10, 8), textcoords="offset points", fontsize=8, color=INK
    )
    axes.plot(
        [usual.x], [usual.y], "o", markersize=10, markerfacecolor="white", markeredgecolor=INK,
        markeredgewidth=2, zorder=5, linestyle="none", label="as it ships",
    )  # fmt: skip
    axes.set_xlabel(panel.x_name, color=INK)
    axes.set_ylabel(f"{panel.y_name} →", color=INK)
    axes.grid(visible=True, color=LINE)
    axes.set_axisbelow(True)
    axes.tick_params(colors=SOFT, labelsize=8)
    axes.margins(0.1)
    for edge in ("top", "right"):
        axes.spines[edge].set_visible(False)
    for edge in ("left", "bottom"):
        axes.spines[edge].set_color(LINE)
