"""The model card, which says what a bundle is, what it was trained on, and how accurate it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from asr.errors import ConfigError
from asr.evaluation import Evaluation
from asr.export.parity import Difference
from asr.provenance import provenance
from asr.training.checkpoint import FINAL
from asr.training.setup import Setup

_NOT_STATED = "not stated"


@dataclass(frozen=True)
class DataSource:
    """A corpus that the model was trained on, with its licence and the attribution that the licence asks for."""

    name: str
    licence: str
    attribution: str
    url: str


@dataclass(frozen=True)
class CardText:
    """The part of a model card that a person writes.

    Attributes:
        title: the model in a few words.
        good_for: the kind of speech that the model transcribes well.
        not_for: the kind of speech that it does not transcribe well, so that nobody is misled.
        language: the language as a BCP 47 tag, such as ``en``.
        data: the corpora that the model was trained on.
    """

    title: str = _NOT_STATED
    good_for: str = _NOT_STATED
    not_for: str = _NOT_STATED
    language: str = _NOT_STATED
    data: tuple[DataSource, ...] = ()

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> CardText:
        """Read the ``card`` section of a recipe, which must have all keys.

        Raises:
            ConfigError: a key is missing, unknown, or holds no text; the message names it.
        """
        texts = {f.name: f.name != "data" for f in fields(cls)}
        _check("card", given, texts)
        if not isinstance(given["data"], list):
            raise ConfigError(f"card.data must be a list of corpora, got {given['data']!r}")
        names = {f.name: True for f in fields(DataSource)}
        for place, source in enumerate(given["data"]):
            _check(f"card.data[{place}]", source, names)
        return cls(**dict(given) | {"data": tuple(DataSource(**source) for source in given["data"])})


def _check(where: str, given: Any, keys: Mapping[str, bool]) -> None:
    """Check that ``given`` has exactly these keys, and text in those marked true."""
    if not isinstance(given, Mapping):
        raise ConfigError(f"{where} must have the keys {', '.join(keys)}, got {given!r}")
    if missing := [k for k in keys if k not in given]:
        raise ConfigError(f"{where} lacks {', '.join(missing)}")
    if unknown := [str(k) for k in given if k not in keys]:
        raise ConfigError(f"{where} has no {', '.join(unknown)}; its keys are {', '.join(keys)}")
    if empty := [k for k, text in keys.items() if text and not (isinstance(given[k], str) and given[k].strip())]:
        raise ConfigError(f"{where}.{empty[0]} must be text, got {given[empty[0]]!r}")


@dataclass(frozen=True)
class ExportedModel:
    """One ONNX file of a bundle: size in bytes, difference from the trained model, and scores if it was evaluated."""

    precision: str
    size: int
    difference: Difference
    evaluation: Evaluation | None

    def to_json(self) -> dict[str, Any]:
        """Return the file's entry in the card, made of numbers, strings and dicts; rates are fractions."""
        described: dict[str, Any] = {"bytes": self.size, "difference_from_trained": asdict(self.difference)}
        if self.evaluation:
            scores = self.evaluation.normalised
            described |= scores.to_json()
            described |= {"utterances": len(scores.utterances), "failures": len(self.evaluation.failures)}
        return described


def make_card(
    run_folder: Path,
    setup: Setup,
    *,
    name: str,
    text: CardText,
    models: tuple[ExportedModel, ...],
    evaluated_on: Path | None,
) -> dict[str, Any]:
    """Return the content of ``card.json``, without absolute paths of this machine."""
    record = setup.record
    made = {k: v for k, v in record.items() if k not in ("config", "data", "parameters", "began_with")}
    config = {k: v for k, v in record.get("config", {}).items() if k not in ("card", "run_dir")}
    return {
        "name": name,
        **asdict(text),
        "data": _sources(text, record),
        "description": _description(setup),
        "training_data": {k: v for k, v in record.get("data", {}).items() if k != "dropped"},
        "dropped_utterances": len(record.get("data", {}).get("dropped", ())),
        "parameters": int(setup.model.count_params()),
        "vocabulary": len(setup.vocabulary),
        "features": features(setup),
        "frame_s": frame_s(setup),
        "evaluated_on": _portable(str(evaluated_on.absolute())) if evaluated_on else None,
        "models": {m.precision: m.to_json() for m in models},
        "trained": made | _outcome(run_folder),
        "exported": provenance(),
        "config": _portable(config),
    }


def _sources(text: CardText, record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the corpora of this run, then those of the model it began with, whose licences also bind its model."""
    sources = {source.name: asdict(source) for source in text.data}
    while record := record.get("began_with", {}):
        is_card = "title" in record
        stated = record["data"] if is_card else (record.get("config", {}).get("card") or {}).get("data", [])
        sources = sources | {s["name"]: s for s in stated if s["name"] not in sources}
    return list(sources.values())


def frame_s(setup: Setup) -> float:
    """Return the seconds between two frames of log-probabilities."""
    return setup.front_end.hop_length * setup.model.time_reduction / setup.front_end.sample_rate


def features(setup: Setup) -> dict[str, Any]:
    """Return the kind of the features (if the record has it), their number, and their rate."""
    front_end = setup.front_end
    kind = setup.record.get("config", {}).get("features", {}).get("kind", _NOT_STATED)
    return {
        "kind": kind,
        "num_features": front_end.num_features,
        "sample_rate": front_end.sample_rate,
        "hop_length": front_end.hop_length,
        "frames_per_s": front_end.sample_rate / front_end.hop_length,
    }


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


def _outcome(run_folder: Path) -> dict[str, Any]:
    """Return how long the training took and which epochs its weights come from."""
    path = run_folder / "final.json"
    final = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    finished = (run_folder / FINAL).is_file()
    return {"finished": finished} | {
        k: v for k, v in final.items() if k in ("epochs", "averaged_epochs", "seconds", "sha256")
    }


def _portable(value: Any) -> Any:
    """Return ``value`` with absolute paths shortened to their last two names."""
    if isinstance(value, Mapping):
        return {k: _portable(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_portable(v) for v in value]
    if isinstance(value, str) and Path(value).is_absolute():
        return "/".join(Path(value).parts[-2:])
    return value
