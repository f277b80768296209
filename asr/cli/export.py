"""Export a training run as a bundle, which asr transcribe runs without TensorFlow.

asr export RUN                              to RUN/bundle
asr export RUN --evaluate test.jsonl        ... and score it: word error rates go into its card
asr export RUN --card recipe.yaml           ... with title, uses and licences from this recipe's card

The float32 model is compared with the trained model on recordings; if they differ, nothing is written.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asr.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from asr.export import Export
    from asr.export.card import ExportedModel


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``asr export``."""
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a training run")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="folder of the bundle (default: RUN/bundle)"
    )
    parser.add_argument("--evaluate", type=Path, metavar="MANIFEST", help="evaluate the models on this manifest")
    parser.add_argument(
        "--card", type=Path, metavar="FILE.yaml", help="texts for the model card (default: those of the run)"
    )
    parser.add_argument("--name", metavar="NAME", help="name of the bundle (default: that of the run's folder)")
    parser.add_argument(
        "--precision",
        nargs="+",
        choices=("float32", "int8"),
        default=("float32", "int8"),
        help="models in the bundle (default: both)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Export the run, and print the size, difference and WER of each model.

    Raises:
        MissingExtraError: TensorFlow or ONNX is not installed.
        AsrError: as ``asr.export.export_bundle`` raises it.
    """
    try:
        from asr.export import export_bundle
    except ModuleNotFoundError as missing:
        raise MissingExtraError(f"export needs {missing.name}", "train") from missing
    exported = export_bundle(
        arguments.run,
        arguments.output or arguments.run / "bundle",
        name=arguments.name,
        card=read_card(arguments.card) if arguments.card else None,
        evaluate_on=arguments.evaluate,
        precisions=arguments.precision,
    )
    _print(exported)
    return 0


def read_card(path: Path) -> Mapping[str, Any]:
    """Read the section ``stages.card`` of a recipe, or ``card`` of another YAML file, or the whole file.

    Raises:
        ConfigError: the file cannot be read, or is not a YAML mapping.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as fault:
        raise ConfigError(f"{path}: cannot be read as a model card: {' '.join(str(fault).split())}") from fault
    if not isinstance(content, Mapping):
        raise ConfigError(f"{path}: a model card needs keys and values, got {content!r}")
    stages = content.get("stages")
    card: Mapping[str, Any] = (stages if isinstance(stages, Mapping) else content).get("card", content)
    return card


def _print(exported: Export) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("precision", box=None, pad_edge=False)
    for title in ("MB", "max |Δ log-prob|", "WER %", "95 % interval"):
        table.add_column(title, justify="right", no_wrap=True)
    for model in exported.models:
        table.add_row(*_cells(model))
    console = Console()
    console.print(table)
    compared = exported.models[0].difference.utterances
    console.print(f"Compared with the trained model on {compared} recordings.")
    console.print(f"Written to {exported.path}", soft_wrap=True, markup=False)
    if exported.began_with:
        console.print(
            f"{exported.began_with}, with which the run began, decodes with a language model, and this bundle does not "
            f"yet: asr lm tune {exported.path} DEV.jsonl --lm {exported.began_with}",
            soft_wrap=True,
            markup=False,
        )


def _cells(model: ExportedModel) -> tuple[str, str, str, str, str]:
    wer, interval = "not scored", ""
    if model.evaluation:
        words = model.evaluation.normalised.words
        wer = f"{100 * words.errors.rate:.2f}"
        if words.interval:
            interval = f"{100 * words.interval.low:.2f} to {100 * words.interval.high:.2f}"
    return model.precision, f"{model.size / 1e6:.2f}", f"{model.difference.largest:.2g}", wer, interval
