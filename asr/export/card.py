"""The model card of an exported bundle, made from the record of its run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr.card import (
    NOT_STATED,
    CardText,
    Difference,
    FeatureFigures,
    ModelCard,
    ModelFigures,
    Provenance,
    TrainingFigures,
)
from asr.evaluation import Evaluation
from asr.provenance import provenance
from asr.run_record import SUMMARY, RunRecord, read_summary
from asr.training.checkpoint import FINAL
from asr.training.setup import Setup


@dataclass(frozen=True)
class ExportedModel:
    """One ONNX file of a bundle: size in bytes, difference from the trained model, and scores if it was evaluated."""

    precision: str
    size: int
    difference: Difference
    evaluation: Evaluation | None

    def figures(self) -> ModelFigures:
        """Return the file's entry in the card; rates are fractions."""
        if self.evaluation is None:
            return ModelFigures(self.size, self.difference)
        scores = self.evaluation.normalised
        return ModelFigures(
            self.size,
            self.difference,
            scores.normaliser,
            scores.words.figures(),
            scores.characters.figures(),
            len(scores.utterances),
            len(self.evaluation.failures),
        )


def make_card(
    run_folder: Path,
    setup: Setup,
    record: RunRecord,
    *,
    name: str,
    text: CardText,
    models: tuple[ExportedModel, ...],
    evaluated_on: Path | None,
) -> ModelCard:
    """Return the card of a run's bundle, without absolute paths of this machine."""
    config = {k: v for k, v in record.config.items() if k not in ("card", "run_dir")}
    return ModelCard(
        frame_s=frame_s(setup),
        name=name,
        title=text.title,
        good_for=text.good_for,
        not_for=text.not_for,
        language=text.language,
        data=record.corpora(text.data),
        description=_description(setup),
        training_data={"train": record.data.train, "dev": record.data.dev},
        dropped_utterances=len(record.data.dropped),
        parameters=int(setup.model.count_params()),
        vocabulary=len(setup.vocabulary),
        features=features(setup, record),
        evaluated_on=_portable(str(evaluated_on.absolute())) if evaluated_on else None,
        models={m.precision: m.figures() for m in models},
        trained=_trained(run_folder, record),
        exported=Provenance(**provenance()),
        config=_portable(config),
    )


def frame_s(setup: Setup) -> float:
    """Return the seconds between two frames of log-probabilities."""
    return setup.front_end.hop_length * setup.model.time_reduction / setup.front_end.sample_rate


def features(setup: Setup, record: RunRecord) -> FeatureFigures:
    """Return the kind of the features (if the configuration has it), their number, and their rate."""
    front_end, configured = setup.front_end, record.config.get("features", {})
    return FeatureFigures(
        configured.get("kind", NOT_STATED),
        front_end.num_features,
        front_end.sample_rate,
        front_end.hop_length,
        front_end.sample_rate / front_end.hop_length,
    )


def _description(setup: Setup) -> str:
    """Return a line that lists the model's layers in order."""
    options: dict[str, Any] = setup.model.options
    direction = "bidirectional" if options["bidirectional"] else "forward"
    layers = [
        f"{setup.front_end.num_features} features a frame",
        *([f"{len(options['convolution'])} convolutions"] if options["convolution"] else []),
        f"{direction} {options['cell'].upper()} layers of {', '.join(map(str, options['units']))} units",
        f"CTC over {_labels(options)}, a frame each {1000 * frame_s(setup):.0f} ms",
    ]
    return " → ".join(layers)


def _labels(options: Mapping[str, Any]) -> str:
    characters = f"{options['vocabulary_size']} labels"
    return f"{characters} of characters and {options['phones']} of phones" if "phones" in options else characters


def _trained(run_folder: Path, record: RunRecord) -> TrainingFigures:
    """Return how the run was trained, how long it took, and which epochs its weights come from."""
    made = {key: getattr(record, key) for key in ("asr", "commit", "seed", "hardware", "python", "numpy", "date")}
    finished = (run_folder / FINAL).is_file()
    if not (run_folder / SUMMARY).is_file():
        return TrainingFigures(**made, tensorflow=record.tensorflow, finished=finished)
    summary = read_summary(run_folder)
    return TrainingFigures(
        **made,
        tensorflow=record.tensorflow,
        finished=finished,
        sha256=summary.sha256,
        averaged_epochs=summary.averaged_epochs,
        epochs=summary.epochs,
        seconds=summary.seconds,
    )


def _portable(value: Any) -> Any:
    """Return ``value`` with absolute paths shortened to their last two names."""
    if isinstance(value, Mapping):
        return {k: _portable(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_portable(v) for v in value]
    if isinstance(value, str) and Path(value).is_absolute():
        return "/".join(Path(value).parts[-2:])
    return value
