"""The model card of a bundle: what the model is, what it was trained on, and how accurate it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asr.errors import BundleCorruptError, ConfigError
from asr.rates import Rate
from asr.stored_json import check_texts, read_json
from asr.typed import from_tree, to_tree

NOT_STATED = "not stated"
FILE = "card.json"


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

    title: str
    good_for: str
    not_for: str
    language: str
    data: tuple[DataSource, ...]

    def __post_init__(self) -> None:
        """Refuse blank texts.

        Raises:
            ConfigError: a text is blank; the message names it.
        """
        for name in ("title", "good_for", "not_for", "language"):
            if not getattr(self, name).strip():
                raise ConfigError(f"card.{name} must be text, got {getattr(self, name)!r}")

    @classmethod
    def from_mapping(cls, given: Any) -> CardText:
        """Read the ``card`` section of a recipe, which must have all keys.

        Raises:
            ConfigError: a key is missing or unknown, or its value is not of its type; the message names it.
        """
        return from_tree(cls, given, "card")

    @classmethod
    def not_stated(cls) -> CardText:
        """Return the text of a card that nobody has written."""
        return cls(NOT_STATED, NOT_STATED, NOT_STATED, NOT_STATED, ())


@dataclass(frozen=True)
class PartFigures:
    """The size of a set of utterances.

    Attributes:
        utterances: the number of utterances.
        hours: the hours of audio.
        speakers: the number of speakers.
        sha256: the digest of their ids, times and texts.
        said_sha256: the digest of the phones to be learned, for a network that outputs phones.
    """

    utterances: int
    hours: float
    speakers: int
    sha256: str
    said_sha256: str | None = None


@dataclass(frozen=True)
class FeatureFigures:
    """The features: their kind, their number F in a frame, and their rate."""

    kind: str
    num_features: int
    sample_rate: int
    hop_length: int
    frames_per_s: float


@dataclass(frozen=True)
class Difference:
    """The difference between two models' outputs for some utterances.

    Attributes:
        largest: the largest absolute difference between two natural log-probabilities.
        utterance: the id of the utterance in which it occurs.
        utterances: the number of utterances that were compared.
    """

    largest: float
    utterance: str
    utterances: int


@dataclass(frozen=True)
class ModelFigures:
    """One ONNX file of the bundle; its scores, by the best path, are there if it was evaluated.

    Attributes:
        bytes: the size of the file.
        difference_from_trained: the difference from the trained model's log-probabilities.
        normaliser: the name of the normaliser of the scored texts.
        wer: the word error rate.
        cer: the character error rate.
        utterances: the number of scored utterances.
        failures: the number of recordings that could not be transcribed.
    """

    bytes: int
    difference_from_trained: Difference
    normaliser: str | None = None
    wer: Rate | None = None
    cer: Rate | None = None
    utterances: int | None = None
    failures: int | None = None


@dataclass(frozen=True)
class Provenance:
    """The place, date and code that made something, as `asr.provenance.provenance` collects them."""

    asr: str
    commit: str
    seed: int | None
    hardware: str
    python: str
    numpy: str
    date: str


@dataclass(frozen=True)
class TrainingFigures(Provenance):
    """The place, date and code that trained a model.

    Attributes:
        tensorflow: the version of TensorFlow.
        finished: whether the run has its final weights.
        sha256: the SHA-256 of the final weights.
        averaged_epochs: the epochs whose weights were averaged, from 1.
        epochs: the number of epochs.
        seconds: the seconds of training.
    """

    tensorflow: str
    finished: bool
    sha256: str | None = None
    averaged_epochs: tuple[int, ...] | None = None
    epochs: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class DevFigures:
    """The utterances that decoding was tuned on, and the WER of each way to decode them, fractions.

    Attributes:
        utterances: the number of utterances.
        speakers: the number of speakers.
        greedy_wer: of the best path.
        wer: of the bundle's decoder, if it has a language model.
        wer_by_characters: of a search over characters, if the bundle's decoder searches over phones.
    """

    utterances: int
    speakers: int
    greedy_wer: float
    wer: float | None = None
    wer_by_characters: float | None = None


@dataclass(frozen=True)
class ConfidenceFigures:
    """How good the words' confidences are; None where it could not be measured.

    Attributes:
        words: the number of words of the dev set as recorded.
        error_before: the expected calibration error before anything was fitted.
        error_after: the same, afterwards.
        roc_area: the area under the ROC curve, afterwards.
        altered_error_before: as ``error_before``, in rooms, by telephone and in noise.
        altered_error_after: as ``error_after``, there.
        altered_roc_area: as ``roc_area``, there.
        measured_on: on which words it was measured.
    """

    words: int
    error_before: float | None = None
    error_after: float | None = None
    roc_area: float | None = None
    altered_error_before: float | None = None
    altered_error_after: float | None = None
    altered_roc_area: float | None = None
    measured_on: str | None = None


@dataclass(frozen=True)
class LeftOut:
    """A language model that brought no fewer errors on dev, by its SHA-256, and the lowest WER with it, a fraction."""

    language_model_sha256: str
    wer: float


@dataclass(frozen=True)
class NgramFigures:
    """A language model: its numbers of n-grams by order, and the size of its file in bytes."""

    ngrams: tuple[int, ...]
    bytes: int


@dataclass(frozen=True)
class ScoredTest:
    """The error rates of the bundle with its decoder on a test set.

    Attributes:
        normaliser: the name of the normaliser of the scored texts.
        wer: the word error rate.
        cer: the character error rate.
        tuned_on: the speakers that the tested decoders were tuned on, where these were not the dev speakers.
    """

    normaliser: str
    wer: Rate
    cer: Rate
    tuned_on: str | None = None


@dataclass(frozen=True)
class DecoderFigures:
    """How the bundle's decoder was tuned, and how accurate it is."""

    dev: DevFigures
    confidence: ConfidenceFigures
    language_model: NgramFigures | None = None
    test: ScoredTest | None = None
    left_out: LeftOut | None = None


@dataclass(frozen=True)
class ModelCard:
    """The model card of a bundle.

    Attributes:
        frame_s: the seconds from one output frame to the next.
        name: the name of the bundle.
        title: the model in a few words.
        good_for: the kind of speech that the model transcribes well.
        not_for: the kind of speech that it does not transcribe well, so that nobody is misled.
        language: the language as a BCP 47 tag, such as ``en``.
        data: the corpora that the model was trained on, and those of the model that training began with.
        description: the layers of the network in order.
        training_data: the size of the training and dev sets, by name.
        dropped_utterances: the number of utterances that could not be trained on.
        parameters: the number of parameters of the network.
        vocabulary: V, the number of labels of characters, the blank included.
        features: the features.
        evaluated_on: the manifest on which the models were scored.
        models: the ONNX files, by precision.
        trained: how the model was trained.
        exported: how the bundle was made.
        config: the configuration of the training run.
        decoder: the tuned decoder, if the bundle has one.
    """

    frame_s: float
    name: str = NOT_STATED
    title: str = NOT_STATED
    good_for: str = NOT_STATED
    not_for: str = NOT_STATED
    language: str = NOT_STATED
    data: tuple[DataSource, ...] = ()
    description: str = NOT_STATED
    training_data: Mapping[str, PartFigures] = field(default_factory=dict)
    dropped_utterances: int = 0
    parameters: int | None = None
    vocabulary: int | None = None
    features: FeatureFigures | None = None
    evaluated_on: str | None = None
    models: Mapping[str, ModelFigures] = field(default_factory=dict)
    trained: TrainingFigures | None = None
    exported: Provenance | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    decoder: DecoderFigures | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``card.json``, without what is not known."""
        return dict(to_tree(self, without_none=True))

    @property
    def scored(self) -> ModelFigures | ScoredTest | None:
        """The scores of the bundle as it decodes by default: with its decoder, or else by the best path."""
        return self.decoder.test if self.decoder and self.decoder.test else self.greedy

    @property
    def greedy(self) -> ModelFigures | None:
        """The ONNX file that is used by default, with its scores by the best path."""
        return self.models.get("int8") or self.models.get("float32")


def read_card(folder: Path) -> ModelCard:
    """Read the model card of the bundle in ``folder``, and nothing else of it.

    Raises:
        BundleCorruptError: the card is missing, a field is missing, unknown or of another type, or a text has control
            characters.
    """
    path = folder / FILE
    try:
        check_texts(tree := read_json(path))
        return from_tree(ModelCard, tree)
    except (OSError, ValueError) as fault:
        raise BundleCorruptError(f"{path}: cannot be read: {fault}; copy or export the bundle again") from fault
    except ConfigError as fault:
        raise BundleCorruptError(f"{path}: {fault}; export the bundle again with this version of asr") from fault
