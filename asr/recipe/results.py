"""A recipe's results, as its results.json holds them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from asr.errors import ConfigError
from asr.evaluation.evaluation import Evaluation, Score
from asr.evaluation.interval import Interval
from asr.evaluation.matched_pairs import MatchedPairs
from asr.evaluation.paired_bootstrap import Difference
from asr.files import write_json
from asr.provenance import provenance
from asr.typed import from_tree, to_tree


@dataclass(frozen=True)
class Rate:
    """An error rate, a fraction, with its counts; None where there was nothing to get wrong."""

    rate: float | None
    substitutions: int
    deletions: int
    insertions: int
    reference_length: int
    interval: Interval | None = None

    @classmethod
    def of(cls, score: Score) -> Rate:
        """Return the figures of a score."""
        return from_tree(cls, score.to_json())


@dataclass(frozen=True)
class Compared:
    """Which of two systems makes fewer word errors, by paired tests.

    Attributes:
        with_: the name of our system.
        better: that name, or ``peer``; None where neither is.
        difference: of the error rates, None where it cannot be told.
        matched_pairs: the matched-pair test.
    """

    with_: str
    better: str | None
    difference: Difference | None
    matched_pairs: MatchedPairs


@dataclass(frozen=True)
class SystemScores:
    """How well a system did on a test set.

    Attributes:
        utterances: how many were scored.
        normaliser: of the texts, by name.
        wer: of words.
        cer: of characters.
        rtf: processing seconds a second of audio; None where not measured.
        compared: of a peer, with our main system.
    """

    utterances: int
    normaliser: str
    wer: Rate
    cer: Rate
    rtf: float | None = None
    compared: Compared | None = None

    @classmethod
    def of(cls, evaluation: Evaluation, rtf: float | None = None) -> SystemScores:
        """Return the figures of an evaluation, without its utterances."""
        scores = evaluation.normalised
        words, characters = Rate.of(scores.words), Rate.of(scores.characters)
        return cls(len(scores.utterances), scores.normaliser, words, characters, rtf)


@dataclass(frozen=True)
class SpeakerRow:
    """One speaker's error rates."""

    speaker: str
    utterances: int
    wer: Rate
    cer: Rate


@dataclass(frozen=True)
class SetFigures:
    """What a test set is.

    Attributes:
        name: such as test-clean.
        utterances: how many.
        hours: of audio.
        speakers: how many.
        tuned_on: in words, the speakers that decoders were tuned on.
    """

    name: str
    utterances: int
    hours: float
    speakers: int
    tuned_on: str


@dataclass(frozen=True, kw_only=True)
class FurtherResults(SetFigures):
    """A further test set, and how each system did on it."""

    systems: Mapping[str, SystemScores]


@dataclass(frozen=True)
class RoundFigures:
    """One round of training."""

    minutes: float
    commit: str


@dataclass(frozen=True)
class BeganWith:
    """The model whose weights training began with, and the commit that had made them."""

    model: str
    commit: str
    weights_sha256: str | None = None


@dataclass(frozen=True)
class DevPerplexity:
    """The language model on the dev transcripts."""

    words: int
    unknown_rate: float
    perplexity_including_unknown: float
    perplexity_excluding_unknown: float


@dataclass(frozen=True)
class LanguageModelFigures:
    """A language model, and the weights that the bundle is kept with.

    Attributes:
        of: its text, in words.
        order: words of its longest n-gram.
        words_of_text: how many it was counted from.
        ngrams: how many of each order.
        bytes: of its file.
        dev: its perplexity on the dev transcripts, None where they have no words.
        weights: of the fusion by characters.
        spoken_weights: of the fusion by phones, where the network hears them.
        beam_width: prefixes kept.
        tuned_on: the dev set and its error rates.
    """

    of: str
    order: int
    words_of_text: int
    ngrams: Sequence[int]
    bytes: int
    dev: DevPerplexity | None = None
    weights: Mapping[str, float] | None = None
    spoken_weights: Mapping[str, float] | None = None
    beam_width: int | None = None
    tuned_on: Mapping[str, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where results come from (see `asr.provenance`); ``commit`` is the one that trained."""

    asr: str
    commit: str
    seed: int | None
    hardware: str
    python: str
    numpy: str
    date: str
    evaluated_by_commit: str

    @classmethod
    def now(cls, seed: int, trained_by: str) -> Origin:
        """Return the origin of results that are evaluated now."""
        made = from_tree(cls, provenance(seed) | {"evaluated_by_commit": ""})
        return replace(made, commit=trained_by, evaluated_by_commit=made.commit)


@dataclass(frozen=True, kw_only=True)
class Results(Origin):
    """All that results.json holds.

    Attributes:
        recipe: its name.
        command: that made them.
        systems: each way to decode, on the main test set.
        main: the one of ``systems`` that speakers and counts are of.
        by_speaker: its error rates for each.
        training_minutes: of all rounds.
        audio_s_per_s: seconds of audio trained on in a second; None in results of before.
        resumed: how often training went on after a stop; None in results of before.
        parameters: of the network.
        weights_sha256: of each run.
        began_with: None where training began anew.
        rounds: of training, where there were several.
        judged_on: the main test set, where a recipe has several or tests on its dev set.
        further: results on further test sets, by name.
        peers: of each test set by name, the peers that were measured on it.
        language_model: None for none.
    """

    recipe: str
    command: str = ""
    systems: Mapping[str, SystemScores]
    main: str
    by_speaker: Sequence[SpeakerRow]
    training_minutes: float
    parameters: int
    weights_sha256: Sequence[str]
    audio_s_per_s: float | None = None
    resumed: int | None = None
    began_with: BeganWith | None = None
    rounds: Sequence[RoundFigures] | None = None
    judged_on: SetFigures | None = None
    further: Mapping[str, FurtherResults] | None = None
    peers: Mapping[str, Mapping[str, SystemScores]] | None = None
    language_model: LanguageModelFigures | None = None


def rows_of(evaluation: Evaluation) -> tuple[SpeakerRow, ...]:
    """Return each speaker's error rates."""
    return tuple(from_tree(SpeakerRow, row) for row in evaluation.to_json(0)["by_speaker"])


def write_results(path: Path, results: Results) -> None:
    """Write results.json, without what there is none of."""
    write_json(path, {key: value for key, value in to_tree(results).items() if value is not None})


def read_results(path: Path) -> Results:
    """Read a results.json, this version's or one of before.

    Raises:
        ConfigError: it is no recipe's; what is lacking is named.
    """
    try:
        return from_tree(Results, json.loads(path.read_text(encoding="utf-8")))
    except (ConfigError, ValueError) as fault:
        raise ConfigError(f"{path}: {fault}") from fault
