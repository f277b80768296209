"""Measure the vanishing gradient on your recordings: how far back it reaches in a plain RNN, an LSTM and a GRU.

asr gradient-flow all.jsonl                      to runs/gradient-flow: picture.svg, numbers.json
asr gradient-flow all.jsonl --epochs 20 -o flow  trained longer

One layer of each is trained, with equal numbers of parameters. Before and after training, the gradient of a loss at the
last frame of each utterance is measured with respect to the states of earlier frames. See docs/vanishing-gradient.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asr.errors import MissingExtraError
from asr.files import write_json
from asr.provenance import provenance

if TYPE_CHECKING:
    from asr.training.gradient_flow import GradientFlow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``asr gradient-flow``."""
    parser.add_argument("manifests", nargs="+", metavar="MANIFEST", help="recordings to train on and to measure with")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", default=Path("runs/gradient-flow"))
    parser.add_argument(
        "--epochs", type=int, default=8, help="training epochs between the two measurements (default: 8)"
    )
    parser.add_argument(
        "--parameters",
        type=int,
        default=60_000,
        help="parameters of each network, which set its width (default: 60000)",
    )
    parser.add_argument("--reach", type=int, default=150, help="largest distance, in frames of 10 ms (default: 150)")
    parser.add_argument("--seed", type=int, default=0)


def run(arguments: argparse.Namespace) -> int:
    """Measure the gradients, print them, and write the numbers and a picture.

    Raises:
        MissingExtraError: TensorFlow or Matplotlib is not installed.
        AsrError: as ``record_gradient_flow`` raises it.
    """
    try:
        import matplotlib  # noqa: F401

        from asr.training.display import Display
        from asr.training.gradient_flow import FRAME_MS, record_gradient_flow
        from asr.training.gradient_plot import draw_gradient_flow
    except ImportError as missing:
        raise MissingExtraError(f"this needs {missing.name}", "train") from missing
    options = {name: getattr(arguments, name) for name in ("epochs", "parameters", "reach", "seed")}
    flows = []
    with Display() as display:
        for flow in record_gradient_flow(arguments.manifests, **options, observers=[display]):
            flows.append(flow)
            display.console.print(_line(flow, FRAME_MS))
    numbers = {"options": options, "frame_ms": FRAME_MS, "flows": _numbers(flows), **provenance(arguments.seed)}
    write_json(arguments.output / "numbers.json", numbers)
    draw_gradient_flow(flows, arguments.output / "picture.svg")
    print(f"Written to {arguments.output}: picture.svg, numbers.json")
    return 0


def _line(flow: GradientFlow, frame_ms: float) -> str:
    reach, last = flow.reach(), flow.norms.shape[1] - 1
    fallen = f"at {reach} frames ({reach * frame_ms:.0f} ms)" if reach else f"nowhere within {last} frames"
    return f"{flow.cell} of {flow.units} units after {flow.epochs} epochs: a thousandth is left {fallen}"


def _numbers(flows: Sequence[GradientFlow]) -> list[dict[str, Any]]:
    """Return the settings of each flow, and quantiles of its relative gradient norms by distance."""
    return [
        {
            "cell": f.cell,
            "units": f.units,
            "parameters": f.parameters,
            "epochs": f.epochs,
            "utterances": len(f.norms),
            "reach_of_a_thousandth": f.reach(),
            **{name: f.relative(q).tolist() for name, q in (("low", 0.1), ("median", 0.5), ("high", 0.9))},
        }
        for f in flows
    ]
