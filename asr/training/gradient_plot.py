"""A plot of ``gradient_flow``: the gradient that remains against the distance from the loss."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from asr.errors import MissingExtraError
from asr.files import write_atomically
from asr.models import CELLS
from asr.training.gradient_flow import FRAME_MS, GradientFlow

_LINES: tuple[dict[str, Any], ...] = (
    {"color": "black", "linestyle": ":"},
    {"color": "#0057b8", "linestyle": "-"},
    {"color": "#d35400", "linestyle": "--"},
    {"color": "#008a5e", "linestyle": "-."},
)
"""Line styles of the cells in their order, again from the first if there are more; dashes differ for print."""

_STYLES = dict(zip(CELLS, cycle(_LINES), strict=False))

_FLOOR = 1e-12
_FALL = 1000


def draw_gradient_flow(flows: Sequence[GradientFlow], path: Path) -> None:
    """Draw ``flows`` into ``path``, whose ending names the format (.svg, .png); a panel for each number of epochs.

    The same flows give the same bytes.

    Raises:
        MissingExtraError: Matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as missing:
        raise MissingExtraError(f"drawing needs {missing.name}", "train") from missing
    panels = sorted({f.epochs for f in flows})
    with matplotlib.rc_context({"svg.hashsalt": "asr", "font.size": 10}):
        figure = Figure(figsize=(4.6 * len(panels), 4.4), layout="constrained")
        axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for panel, epochs in zip(axes, panels, strict=True):
            _draw_panel(panel, [f for f in flows if f.epochs == epochs], _title(epochs))
        axes[0].set_ylabel("‖∂L$_T$/∂h$_{T-k}$‖ / ‖∂L$_T$/∂h$_T$‖\nmedian, and band of 80 % of the utterances")
        axes[0].legend(loc="upper right", framealpha=1)
        with write_atomically(path) as temporary:
            metadata = {"Date": None} if path.suffix == ".svg" else None
            figure.savefig(temporary, format=path.suffix.removeprefix("."), dpi=150, metadata=metadata)


def _title(epochs: int) -> str:
    return f"after {epochs} epoch{'s' * (epochs > 1)} of training" if epochs else "as initialised"


def _draw_panel(axes: Any, flows: Sequence[GradientFlow], title: str) -> None:
    for flow in flows:
        distance, style = np.arange(flow.norms.shape[1]), _STYLES[flow.cell]
        low, median, high = (np.maximum(flow.relative(q), _FLOOR / 10) for q in (0.1, 0.5, 0.9))
        axes.fill_between(distance, low, high, color=style["color"], alpha=0.13, linewidth=0)
        for edge in (low, high):
            axes.plot(distance, edge, linewidth=0.6, **style)
        axes.plot(distance, median, linewidth=2.2, label=f"{CELLS[flow.cell].title}, {flow.units} units", **style)
    axes.axhline(1 / _FALL, color="grey", linewidth=0.8, label="a thousandth")
    axes.set(yscale="log", ylim=(_FLOOR, 10), xlim=(0, distance[-1]), title=title)
    axes.set_xlabel("k, distance from the loss (frames)")
    axes.grid(alpha=0.25)
    top = axes.secondary_xaxis("top", functions=(lambda k: k * FRAME_MS, lambda ms: ms / FRAME_MS))
    top.set_xlabel("distance (ms)")
