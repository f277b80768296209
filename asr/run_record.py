"""The record of a run in its folder: how the model is set up and was made, and the summary once it is trained.

::

    setup.json   the model's options, the normaliser, the phones, and the record of the run
    final.json   epochs, seconds, scores on dev, and the SHA-256 of the final weights
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from asr.card import CardText, DataSource, PartFigures, Provenance
from asr.errors import CheckpointError, ConfigError
from asr.stored_json import read_json
from asr.typed import from_tree, to_tree

SETUP, SUMMARY = "setup.json", "final.json"

_BEFORE_NORMALISERS = "upper_letters"
"""The normaliser of runs from before there was a choice."""

T = TypeVar("T")


@dataclass(frozen=True)
class Dropped:
    """An utterance that could not be trained on: its id and the reason."""

    id: str
    reason: str


@dataclass(frozen=True)
class DataFigures:
    """The utterances of a run."""

    train: PartFigures
    dev: PartFigures
    dropped: tuple[Dropped, ...] = ()


@dataclass(frozen=True)
class Origin:
    """The model that a run began with.

    Attributes:
        commit: the commit that had trained it.
        data: the corpora it was trained on, whose licences bind this run's model too.
        weights_sha256: a digest of its weights, since its name may denote other weights later; empty for a run from
            before there was one.
    """

    commit: str
    data: tuple[DataSource, ...]
    weights_sha256: str


@dataclass(frozen=True)
class RunRecord(Provenance):
    """The record of how a run's model is made.

    Attributes:
        tensorflow: the version of TensorFlow.
        config: the whole configuration as given.
        data: the utterances.
        parameters: the number of parameters of the network.
        began_with: the model whose weights training began with; None where it began from scratch.
    """

    tensorflow: str
    config: Mapping[str, Any]
    data: DataFigures
    parameters: int
    began_with: Origin | None = None

    @property
    def card(self) -> CardText | None:
        """The text of the model card in the configuration, None where it has none.

        Raises:
            ConfigError: it lacks a key, or one is unknown or not of its type.
        """
        text = self.config.get("card")
        return CardText.from_mapping(text) if text else None

    def corpora(self, own: tuple[DataSource, ...]) -> tuple[DataSource, ...]:
        """Return ``own``, the corpora of this run, and then those of the model it began with."""
        names = {source.name for source in own}
        earlier = self.began_with.data if self.began_with else ()
        return (*own, *(source for source in earlier if source.name not in names))


@dataclass(frozen=True)
class StoredSetup:
    """The content of ``setup.json``.

    Attributes:
        model: the options of the acoustic model.
        normaliser: the name of the text normaliser that transcripts were written by.
        record: how the model is made.
        phones: the phones that the model outputs beside characters, None where it outputs none.
    """

    model: Mapping[str, Any]
    normaliser: str
    record: RunRecord
    phones: tuple[str, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``setup.json``."""
        return dict(to_tree(self, without_none=True))


@dataclass(frozen=True)
class Summary:
    """The content of ``final.json``: the summary of a finished run.

    Attributes:
        sha256: the SHA-256 of the final weights.
        averaged_epochs: the epochs whose weights were averaged, from 1.
        epochs: the number of epochs.
        seconds: the seconds of training over all calls, dev evaluations included.
        dev: the scores of the final weights on dev, None without dev set.
    """

    sha256: str
    averaged_epochs: tuple[int, ...]
    epochs: int
    seconds: float
    dev: Mapping[str, Any] | None = None


def read_setup(folder: str | Path) -> StoredSetup:
    """Read the ``setup.json`` of a run folder.

    Raises:
        CheckpointError: it is missing or no JSON, or a field is missing, unknown or of another type.
    """
    path = Path(folder) / SETUP
    content = _read(path, f"{folder} is no run folder: {SETUP} cannot be read")
    return _typed(StoredSetup, _of_now(content), path)


def read_summary(folder: str | Path) -> Summary:
    """Read the ``final.json`` of a run folder.

    Raises:
        CheckpointError: as ``read_setup``.
    """
    path = Path(folder) / SUMMARY
    return _typed(Summary, _read(path, f"{path} cannot be read"), path)


def _read(path: Path, fault: str) -> Any:
    try:
        return read_json(path)
    except (OSError, ValueError) as cause:
        raise CheckpointError(f"{fault} ({cause})") from cause


def _typed(cls: type[T], content: Any, path: Path) -> T:
    try:
        return from_tree(cls, content)
    except ConfigError as fault:
        raise CheckpointError(f"{path}: {fault}; another version of asr wrote it: train with that one") from fault


def _of_now(content: Any) -> Any:
    """Return the content of a ``setup.json`` of before as it would be written now.

    Runs once named their normaliser in the configuration alone, and held the whole record of the model they began
    with, or its card, in place of an `Origin`.
    """
    try:
        record = content["record"]
        if "normaliser" not in content:
            named = record["config"].get("data", {}).get("normaliser", _BEFORE_NORMALISERS)
            content = {**content, "normaliser": named}
        if "config" in record.get("began_with", {}):
            content = {**content, "record": {**record, "began_with": _origin_of(record["began_with"])}}
    except (AttributeError, KeyError, TypeError):
        pass  # it is no record of before either; the check of its fields names what is wrong
    return content


def _origin_of(whole: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `Origin`, as JSON, of a record or a card that was stored whole, its own origin within it."""
    is_card = "title" in whole
    own = whole["data"] if is_card else (whole["config"].get("card") or {}).get("data", [])
    earlier = _origin_of(whole["began_with"])["data"] if "began_with" in whole else []
    names = {source["name"] for source in own}
    return {
        "commit": (whole["trained"] if is_card else whole)["commit"],
        "weights_sha256": whole.get("weights_sha256", ""),
        "data": [*own, *(source for source in earlier if source["name"] not in names)],
    }
