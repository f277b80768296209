"""The results of a recipe, as its results.json holds them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from asr.card import DevFigures, Provenance
from asr.errors import ConfigError
from asr.evaluation.evaluation import Evaluation
from asr.evaluation.matched_pairs import MatchedPairs
from asr.evaluation.paired_bootstrap import Difference
from asr.files import write_json
from asr.provenance import provenance
from asr.rates import Rate
from asr.typed import from_tree, to_tree


@dataclass(frozen=True)
class Compared:
    """A comparison of the word errors of two systems by paired tests.

    Attributes:
        with_: the name of our system.
        better: the better system, that name or ``peer``; None where neither is better.
        difference: the difference of the error rates; None where it is undefined.
        matched_pairs: the result of the matched-pairs test.
    """

    with_: str
    better: str | None
    difference: Difference | None
    matched_pairs: MatchedPairs


@dataclass(frozen=True)
class SystemScores:
    """The scores of a system on a test set.

    Attributes:
        utterances: the number of scored utterances.
        normaliser: the name of the normaliser for the texts.
        wer: the word error rate.
        cer: the character error rate.
        rtf: the real-time factor, seconds of processing for a second of audio; None where it was not measured.
        compared: for a peer, the comparison with our main system.
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
        words, characters = scores.words.figures(), scores.characters.figures()
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
    """The size of a test set, and the speakers its decoders were tuned on.

    Attributes:
        name: the name of the set, such as test-clean.
        utterances: the number of utterances.
        hours: the hours of audio.
        speakers: the number of speakers.
        tuned_on: a description of the speakers that the decoders were tuned on.
    """

    name: str
    utterances: int
    hours: float
    speakers: int
    tuned_on: str


@dataclass(frozen=True, kw_only=True)
class FurtherResults(SetFigures):
    """A further test set, with each system's scores on it."""

    systems: Mapping[str, SystemScores]


@dataclass(frozen=True)
class RoundFigures:
    """One round of training: its minutes, and the commit that trained."""

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
    """The language model's perplexity, and its share of unknown words, on the dev transcripts."""

    words: int
    unknown_rate: float
    perplexity_including_unknown: float
    perplexity_excluding_unknown: float


@dataclass(frozen=True)
class LanguageModelFigures:
    """A language model, and the decoder weights in the final bundle.

    Attributes:
        of: a description of its text.
        order: the number of words in its longest n-gram.
        words_of_text: the number of words of text that it was counted from.
        ngrams: the number of n-grams of each order.
        bytes: the size of its file, in bytes.
        dev: the perplexity on the dev transcripts; None where they have no words.
        weights: the weights of the fusion by characters.
        phone_weights: the weights of the fusion by phones, where the network outputs phones.
        beam_width: the number of prefixes kept.
        tuned_on: the dev set that the weights were tuned on, and its error rates.
    """

    of: str
    order: int
    words_of_text: int
    ngrams: Sequence[int]
    bytes: int
    dev: DevPerplexity | None = None
    weights: Mapping[str, float] | None = None
    phone_weights: Mapping[str, float] | None = None
    beam_width: int | None = None
    tuned_on: DevFigures | None = None


@dataclass(frozen=True, kw_only=True)
class Origin(Provenance):
    """The origin of results; ``commit`` is the one that trained the model."""

    evaluated_by_commit: str

    @classmethod
    def now(cls, seed: int | None, trained_by: str) -> Origin:
        """Return the origin of results that are evaluated now."""
        made = from_tree(cls, provenance(seed) | {"evaluated_by_commit": ""})
        return replace(made, commit=trained_by, evaluated_by_commit=made.commit)


@dataclass(frozen=True, kw_only=True)
class Results(Origin):
    """The content of results.json.

    Attributes:
        recipe: the name of the recipe.
        command: the command that made the results.
        systems: the scores on the main test set, by way to decode.
        main: the name of the system to which the speakers' rates and the counts belong.
        by_speaker: the error rates of that system for each speaker.
        training_minutes: the minutes of training, over all rounds.
        audio_s_per_s: the seconds of audio trained on in a second; None in older results.
        resumed: the number of times that training was resumed after a stop; None in older results.
        parameters: the number of parameters of the network.
        weights_sha256: the SHA-256 of the final weights of each run.
        began_with: the model whose weights training began with; None where training began from scratch.
        rounds: the rounds of training, where there were several.
        test_set: the main test set, where a recipe has several or tests on its dev set.
        further: the results on further test sets, by name.
        peers: the scores of the peers that were measured on each test set, by the set's name.
        language_model: the figures of the language model; None for none.
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
    test_set: SetFigures | None = None
    further: Mapping[str, FurtherResults] | None = None
    peers: Mapping[str, Mapping[str, SystemScores]] | None = None
    language_model: LanguageModelFigures | None = None


def rows_of(evaluation: Evaluation) -> tuple[SpeakerRow, ...]:
    """Return each speaker's error rates."""
    return tuple(from_tree(SpeakerRow, row) for row in evaluation.to_json(0)["by_speaker"])


def write_results(path: Path, results: Results) -> None:
    """Write results.json, without the fields that are None."""
    write_json(path, {key: value for key, value in to_tree(results).items() if value is not None})


def read_results(path: Path) -> Results:
    """Read a results.json that this version or an older one wrote.

    Raises:
        ConfigError: the file does not hold a recipe's results; the message names what is missing or wrong.
    """
    try:
        return from_tree(Results, json.loads(path.read_text(encoding="utf-8")))
    except (ConfigError, ValueError) as fault:
        raise ConfigError(f"{path}: {fault}") from fault
