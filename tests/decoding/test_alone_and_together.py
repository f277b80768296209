"""A hypothesis depends on its recording alone: bitwise the same beside any others, in any order, however many.

Log-probabilities are whole numbers here, so that prefixes have the same score all the time, also at the edge of the
beam and of the threshold, and whatever chooses between them by chance would show.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from asr.arrays import LogProbs
from asr.decoding import (
    BeamDecoder,
    BeamOptions,
    Decoder,
    FusionWeights,
    Hypothesis,
    PhoneDecoder,
    WordFusion,
)
from asr.decoding.confidence import word_confidences
from asr.decoding.grammar import phrases, word_sequences
from asr.decoding.hotwords import hotwords
from asr.decoding.word_hotwords import WordHotwords
from asr.lm import NgramModel, Pronunciations, train_ngram
from asr.text import Lexicon, Phones, Vocabulary

VOCABULARY = Vocabulary((" ", "A", "B"))
PHONES = Phones(("x", "y"))
LEXICON = Lexicon({"A": (("x",),), "AB": (("x",),), "B": (("y",), ("x", "y")), "BA": (("x", "y"),)})
WIDTH = len(VOCABULARY) + len(PHONES)
RECORDINGS = 40
MODEL = train_ngram(["A B A", "A B", "B BA", "AB BA", "A", "B A AB"], order=2)
WEIGHTS = FusionWeights(alpha=0.5, beta=1.0, unknown_score=-1.0)
EVEN = FusionWeights(alpha=0.0, beta=1.0)
"""The language model says nothing, so that scores stay whole numbers."""


def quantised(seed: int, impossible: slice) -> LogProbs:
    """Log-probabilities of whole numbers; in some recordings some of ``impossible`` are."""
    draw = np.random.default_rng(seed)
    frames = draw.integers(0, 16)
    log_probs = -draw.integers(1, 5, (frames, WIDTH)).astype(np.float32)
    if seed % 3 == 0:
        some = log_probs[:, impossible]
        some[draw.random(some.shape) < 0.3] = -np.inf
    if seed % 4 == 0:
        log_probs[draw.random(frames) < 0.3, 1:] = -20.0
    return LogProbs.split(log_probs.astype(np.float64) if seed % 5 == 0 else log_probs, len(VOCABULARY))


def recordings_for(name: str) -> list[LogProbs]:
    """Of labels that the decoder does not search, none is impossible: its hypotheses are aligned with them."""
    searched = slice(len(VOCABULARY), None) if name.startswith("phones") else slice(len(VOCABULARY))
    return [quantised(seed, searched) for seed in range(RECORDINGS)]


def characters(*scorers) -> Callable[[BeamOptions, int], Decoder]:
    return lambda options, n_best: BeamDecoder(VOCABULARY, scorers, options, n_best=n_best)


def phones(
    weights: FusionWeights, raised: WordHotwords | None = None, discount: np.ndarray | None = None
) -> Callable[[BeamOptions, int], Decoder]:
    pronunciations = Pronunciations.of(MODEL, LEXICON, PHONES)

    def made(options: BeamOptions, n_best: int) -> Decoder:
        return PhoneDecoder(
            VOCABULARY, MODEL, pronunciations, weights, options, n_best=n_best, discount=discount, raised=raised
        )

    return made


def ids(model: NgramModel, *words: str) -> tuple[int, ...]:
    return tuple(model.word_ids(words).tolist())


DECODERS = {
    "characters": characters(),
    "hotwords": characters(hotwords({"AB": 2.0, "B A": 1.0}, VOCABULARY)),
    "language model": characters(WordFusion(MODEL, VOCABULARY, WEIGHTS)),
    "language model, hotwords": characters(hotwords({"AB": 2.0}, VOCABULARY), WordFusion(MODEL, VOCABULARY, WEIGHTS)),
    "grammar": characters(phrases(["A B", "AB", "B", "BA A"], VOCABULARY)),
    "lexicon": characters(word_sequences(["A", "AB", "BA"], VOCABULARY)),
    "phones": phones(WEIGHTS),
    "phones, ties": phones(EVEN),
    "phones, hotwords": phones(EVEN, WordHotwords({ids(MODEL, "A", "B"): 3.0, ids(MODEL, "BA"): 2.0}, len(MODEL))),
    "phones, discount": phones(WEIGHTS, discount=np.array([0.0, -1.0, -2.0, -1.0], np.float32)),
}
NARROW = {
    "by width": BeamOptions(width=5, threshold=np.inf, token_threshold=-np.inf),
    "by threshold": BeamOptions(width=1000, threshold=4.0, token_threshold=-2.5),
    "by both": BeamOptions(width=12, threshold=6.0, token_threshold=-3.5),
    "unmerged": BeamOptions(width=12, threshold=6.0, token_threshold=-3.5, merge=False),
}
ORDERS = {
    "as they are": np.arange(RECORDINGS),
    "backwards": np.arange(RECORDINGS)[::-1],
    "shuffled": np.random.default_rng(0).permutation(RECORDINGS),
}


def together(
    decoder: Decoder, recordings: Sequence[LogProbs], order: np.ndarray, size: int
) -> tuple[list[list[Hypothesis]], list[list[float]]]:
    """Hypotheses and confidences, in the order of ``recordings``, decoded ``size`` at a time in another order."""
    hypotheses: dict[int, list[Hypothesis]] = {}
    sure: dict[int, list[float]] = {}
    for at in range(0, len(order), size):
        group = order[at : at + size].tolist()
        some = [recordings[i] for i in group]
        hypotheses |= dict(zip(group, decoder.decode(some), strict=True))
        best = [(i, hypotheses[i][0]) for i in group if hypotheses[i]]
        characters = [recordings[i].characters for i, _ in best]
        raw = word_confidences(characters, [hypothesis for _, hypothesis in best], VOCABULARY)
        sure |= {i: one.tolist() for (i, _), one in zip(best, raw, strict=True)}
    return [hypotheses[i] for i in range(len(order))], [sure.get(i, []) for i in range(len(order))]


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning", "ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("n_best", [1, 4])
@pytest.mark.parametrize("options", NARROW.values(), ids=NARROW)
@pytest.mark.parametrize("name", DECODERS)
def test_hypotheses_and_confidences_are_those_of_the_recording_alone(
    name: str, options: BeamOptions, n_best: int
) -> None:
    """Texts, labels, frames, scores and confidences, to the last bit."""
    decoder, recordings = DECODERS[name](options, n_best), recordings_for(name)
    alone = together(decoder, recordings, ORDERS["as they are"], 1)
    assert sum(map(bool, alone[0])) > RECORDINGS / 2 and sum(map(len, alone[1])) > RECORDINGS / 2
    for order in ORDERS.values():
        for size in (2, 8, 32) if n_best == 1 else (8,):
            found = together(decoder, recordings, order, size)
            assert repr(found) == repr(alone), "repr, since confidences may be nan"


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning", "ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("options", NARROW.values(), ids=NARROW)
@pytest.mark.parametrize("name", DECODERS)
def test_the_first_hypothesis_is_the_same_however_many_are_asked_for(name: str, options: BeamOptions) -> None:
    recordings = recordings_for(name)
    one, *more = (DECODERS[name](options, n_best).decode(recordings) for n_best in (1, 2, 7))
    for several in more:
        assert repr([some[:1] for some in several]) == repr(one)
        assert all(other.score <= some[0].score for some in several for other in some)


@pytest.mark.parametrize("name", ["characters", "phones, ties"])
def test_there_are_ties_to_be_broken(name: str) -> None:
    """Else the test above would show nothing."""
    found = DECODERS[name](NARROW["by both"], 20).decode(recordings_for(name))
    ties = sum(a.score == b.score for some in found for a, b in zip(some, some[1:], strict=False))
    assert ties > 10
