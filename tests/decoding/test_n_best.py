"""The n best texts read off the lattice, against every text that there is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest

from asr.arrays import LogProbs
from asr.decoding import BeamDecoder, BeamOptions, Decoder, FusionWeights, Hypothesis, PhoneDecoder, WordFusion
from asr.decoding.grammar import phrases, word_sequences
from asr.decoding.hotwords import hotwords
from asr.decoding.scorer import Scorer, ScorerSum
from asr.lm import Pronunciations, train_ngram
from asr.text import BLANK, Lexicon, Phones, Vocabulary
from asr.text.lexicon import BOUNDARY

VOCABULARY = Vocabulary((" ", "A", "B", "C"))
WIDE = BeamOptions(width=100_000, threshold=np.inf, token_threshold=-np.inf)
ALL = 10_000
WORDS = ["A", "AB", "BA", "CC", "B"]
MODEL = train_ngram(["AB BA", "CC AB", "BA CC AB", "AA AB", "BA BA"], order=2)
FUSION = WordFusion(MODEL, VOCABULARY, FusionWeights(0.8, 0.5, -1.0))
SCORERS: dict[str, list[Scorer]] = {
    "none": [],
    "hotwords": [hotwords({"AB": 2.0, "BA CC": 3.0}, VOCABULARY)],
    "language model": [FUSION],
    "language model and hotwords": [hotwords({"AB": 2.0}, VOCABULARY), FUSION],
    "lexicon": [word_sequences(["AB", "BA", "CC", "CA"], VOCABULARY)],
    "grammar": [phrases(["AB BA", "BA BA", "CC AB", "CA CC"], VOCABULARY)],
}


def in_slots(seed: int, slots: Sequence[Sequence[int]], labels: int) -> np.ndarray:
    """Log-probabilities (T, labels) that allow one of some labels in every other frame, and a blank between them.

    So every label sequence has one path, and what is merged was heard in the same frames: nothing is approximate.
    """
    draw = np.random.default_rng(seed)
    log_probs = np.full((2 * len(slots), labels), -np.inf)
    for slot, allowed in enumerate(slots):
        log_probs[2 * slot, list(allowed)] = np.log(draw.dirichlet(np.ones(len(allowed))))
        log_probs[2 * slot + 1, BLANK] = 0.0
    return log_probs


def by_brute_force(log_probs: np.ndarray, scorers: Sequence[Scorer]) -> dict[tuple[int, ...], float]:
    """Every label sequence that the slots allow → its score, the scorers asked label by label."""
    scorer, found = ScorerSum(scorers), {}
    for labels in product(*[np.flatnonzero(frame > -np.inf).tolist() for frame in log_probs[::2]]):
        total, states = float(log_probs[::2][range(len(labels)), labels].sum()), scorer.start()[np.newaxis]
        for label in labels:
            added, states = scorer.extend(states, np.array([label]))
            total += float(added[0])
            if total == -np.inf:
                break
        else:
            total += float(scorer.finish(states)[0])
        if total > -np.inf:
            found[labels] = total
    return found


def check(found: Sequence[Hypothesis], wanted: dict[str, float]) -> None:
    """The same texts with the same scores in the same order, but for texts whose scores are the same."""
    assert len(found) == len(wanted)
    assert {h.text: h.score for h in found} == pytest.approx(wanted, abs=1e-5)
    assert [wanted[h.text] for h in found] == pytest.approx(sorted(wanted.values(), reverse=True), abs=1e-5)


LETTERS, SPACE = [2, 3, 4], [1]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", SCORERS)
def test_where_merging_is_exact_all_texts_come_in_order_with_their_scores(name: str, seed: int) -> None:
    log_probs = in_slots(seed, [LETTERS, LETTERS, SPACE, LETTERS, LETTERS], len(VOCABULARY))
    wanted = {VOCABULARY.decode(labels): score for labels, score in by_brute_force(log_probs, SCORERS[name]).items()}
    assert len(wanted) == {"lexicon": 16, "grammar": 4}.get(name, 81)
    check(BeamDecoder(VOCABULARY, SCORERS[name], WIDE, n_best=ALL).decode([LogProbs(log_probs)])[0], wanted)


PHONES = Phones(("x", "y"))
SAID = Lexicon({"A": (("x",),), "AB": (("x",),), "B": (("y",),), "BA": (("x", "y"),), "CC": (("x", "y"),)})


@pytest.mark.parametrize("seed", range(3))
def test_so_it_is_by_phones_with_words_that_sound_alike(seed: int) -> None:
    model = train_ngram(["A B A", "AB B BA", "CC AB", "B A CC", "BA B"], order=2)
    weights, pronunciations = FusionWeights(0.8, 0.5), Pronunciations.of(model, SAID, PHONES)
    x, y = PHONES.encode([("x", "y")])[:2].tolist()
    phones = in_slots(seed, [[x, y], [BOUNDARY], [x], [y, BOUNDARY], [BOUNDARY, x], [BOUNDARY]], len(PHONES))
    wanted: dict[str, float] = {}
    for sounds in product(*[np.flatnonzero(frame > -np.inf).tolist() for frame in phones[::2]]):
        spelled = [part for part in "".join(map(chr, sounds)).split(chr(BOUNDARY))]
        ways = [[w for w, (way,) in SAID.pronunciations.items() if sound_of(way) == part] for part in spelled[:-1]]
        for words in product(*ways):
            state, total = np.array([model.start]), float(phones[::2][range(len(sounds)), sounds].sum())
            for word in words:
                log_prob, state = model.score(state, model.word_ids([word]))
                total += weights.alpha * float(log_prob[0]) + weights.beta
            wanted[" ".join(words)] = total + weights.alpha * float(model.score_end(state)[0])
    assert len(wanted) > 10
    characters = np.full((len(phones), len(VOCABULARY)), -np.log(len(VOCABULARY)))
    decoder = PhoneDecoder(VOCABULARY, model, pronunciations, weights, WIDE, n_best=ALL)
    check(decoder.decode([LogProbs(characters, phones)])[0], wanted)


def sound_of(way: tuple[str, ...]) -> str:
    return "".join(map(chr, PHONES.encode([way])[:-1].tolist()))


def noisy(random_log_probs, seed: int) -> np.ndarray:
    return random_log_probs(seed, 9, len(VOCABULARY), 2.0)


@pytest.mark.parametrize("name", SCORERS)
def test_with_any_paths_most_of_the_best_texts_are_there(name: str, random_log_probs) -> None:
    """Where a text has many paths, what was merged is weighed at one time for all: scores are approximate.

    These nine frames of noise are the hardest case. A grammar of whole phrases merges nothing, and is exact.
    """
    missed = total = 0
    errors: list[float] = []
    for seed in range(10):
        log_probs = noisy(random_log_probs, seed)
        unmerged = BeamOptions(width=100_000, threshold=25.0, token_threshold=-np.inf, merge=False)
        exact = {
            " ".join(h.text.split()): h.score
            for h in BeamDecoder(VOCABULARY, SCORERS[name], unmerged, n_best=40).decode([LogProbs(log_probs)])[0]
        }
        found = {
            " ".join(h.text.split()): h.score
            for h in BeamDecoder(VOCABULARY, SCORERS[name], WIDE, n_best=40).decode([LogProbs(log_probs)])[0]
        }
        best = list(exact)[:15]
        missed += sum(text not in found for text in best)
        total += len(best)
        errors += [abs(found[text] - exact[text]) for text in best if text in found]
    assert missed <= (0 if name == "grammar" else 0.12) * total
    assert np.mean(errors) < 0.5


@pytest.mark.parametrize("name", SCORERS)
def test_a_shorter_list_is_the_beginning_of_a_longer_one(name: str, random_log_probs) -> None:
    """So that the first hypothesis does not depend on how many are asked for."""
    options = BeamOptions(width=8, threshold=12.0, token_threshold=-6.0)
    for seed in range(10):
        log_probs = LogProbs(random_log_probs(seed, 25, len(VOCABULARY), 2.0))
        lists = [
            BeamDecoder(VOCABULARY, SCORERS[name], options, n_best=n).decode([log_probs])[0] for n in (1, 5, 20, 50)
        ]
        for some in lists:
            assert repr(some) == repr(lists[-1][: len(some)])
            scores = [h.score for h in some]
            assert scores == sorted(scores, reverse=True)
        texts = [" ".join(h.text.split()) for h in lists[-1]]
        assert len(set(texts)) == len(texts)
        if name not in ("grammar",):
            assert list(map(len, lists)) == [1, 5, 20, 50], "a beam of eight, and as many as asked"


def test_a_word_that_may_be_repeated_for_ever_ends(random_log_probs) -> None:
    """The lexicon's state after a word is that after any number of words: no history may contain itself."""
    decoder: Decoder = BeamDecoder(VOCABULARY, [word_sequences(["A"], VOCABULARY)], n_best=1000)
    found = decoder.decode([LogProbs(random_log_probs(0, 12, len(VOCABULARY), 0.5))])[0]
    assert {h.text for h in found} == {" ".join("A" * n) for n in range(1, 7)}
