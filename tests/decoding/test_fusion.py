"""A language model in the search, against the sum over paths and a model asked word by word."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import asr.decoding.decoder
from asr.arrays import LogProbs
from asr.decoding import BeamDecoder, BeamOptions, FusionWeights, PrefixBeamSearch, WordFusion
from asr.decoding.hotwords import hotwords
from asr.errors import ConfigError
from asr.text import Vocabulary

VOCABULARY = Vocabulary((" ", "A", "B"))
WORDS = ("<unk>", "A", "AB", "BA")
WEIGHTS = FusionWeights(alpha=0.7, beta=0.3, unknown_score=-1.5)


class Bigrams:
    """p(word | word before) drawn at random; the interface of `asr.lm.NgramModel`, in plain Python."""

    ROOT = 0
    start = len(WORDS)

    def __init__(self, seed: int) -> None:
        drawn = np.random.default_rng(seed).random((len(WORDS) + 1, len(WORDS) + 1))
        self.table = np.log(drawn / drawn.sum(axis=1, keepdims=True))
        self.nodes = ["", *sorted({word[:n] for word in WORDS[1:] for n in range(1, len(word) + 1)})]

    def score(self, states, words):
        return self.table[states, words], words

    def score_end(self, states):
        return self.table[states, len(WORDS)]

    def spell(self, nodes, characters):
        longer = [
            self.nodes[node] + chr(character) if node >= 0 else "?"
            for node, character in zip(nodes, characters, strict=True)
        ]
        return np.array([self.nodes.index(text) if text in self.nodes else -1 for text in longer])

    def word_at(self, nodes):
        return np.array([WORDS.index(self.nodes[n]) if n >= 0 and self.nodes[n] in WORDS else -1 for n in nodes])

    def unknown_letters(self, word: str) -> int:
        """Letters from where no word of the model begins so; 1 for a mere beginning of a word, 0 for a word."""
        known = max(n for n in range(len(word) + 1) if word[:n] in self.nodes)
        return 0 if word in WORDS else max(len(word) - known, 1)

    def by_hand(self, text: str) -> float:
        """The score of a whole text, one word after the other."""
        total, before = 0.0, self.start
        for word in text.split():
            word_id = WORDS.index(word) if word in WORDS else 0
            total += WEIGHTS.alpha * self.table[before, word_id] + WEIGHTS.beta
            total += WEIGHTS.unknown_score * self.unknown_letters(word)
            before = word_id
        return total + WEIGHTS.alpha * self.table[before, len(WORDS)]


def decoder(model: Bigrams, vocabulary: Vocabulary = VOCABULARY, n_best: int = 100_000) -> BeamDecoder:
    exact = BeamOptions(width=100_000, threshold=np.inf, token_threshold=-np.inf, merge=False)
    return BeamDecoder(vocabulary, [WordFusion(model, vocabulary, WEIGHTS)], exact, n_best=n_best)  # type: ignore[arg-type]


@pytest.fixture
def all_variants(monkeypatch) -> None:
    """Sums over all label sequences of a text; a decoder looks at the best few for its first hypothesis."""
    monkeypatch.setattr(asr.decoding.decoder, "_VARIANTS", 100_000)


def by_words(vocabulary: Vocabulary, model: Bigrams, sums: dict[tuple[int, ...], float]) -> dict[str, float]:
    """Scores of texts: the sum over every reading that differs in spaces only, and the language model by hand."""
    scores: dict[str, float] = {}
    for labels, score in sums.items():
        words = " ".join(vocabulary.decode(labels).split())
        scores[words] = np.logaddexp(scores.get(words, -np.inf), score + model.by_hand(words))
    return scores


@pytest.mark.usefixtures("all_variants")
@pytest.mark.parametrize("seed", range(5))
def test_a_score_is_the_sum_over_paths_and_the_words_of_the_language_model(
    seed: int, random_log_probs, sums_over_paths
) -> None:
    log_probs, model = random_log_probs(seed, 6, 4), Bigrams(seed)
    found = {" ".join(h.text.split()): h.score for h in decoder(model).decode([LogProbs(log_probs)])[0]}
    assert found == pytest.approx(by_words(VOCABULARY, model, sums_over_paths(log_probs)), abs=1e-9)


@pytest.mark.usefixtures("all_variants")
def test_labels_without_a_space_make_one_word(random_log_probs, sums_over_paths) -> None:
    vocabulary, model, log_probs = Vocabulary(("A", "B")), Bigrams(0), random_log_probs(0, 5, 3)
    found = {h.text: h.score for h in decoder(model, vocabulary).decode([LogProbs(log_probs)])[0]}
    assert found == pytest.approx(by_words(vocabulary, model, sums_over_paths(log_probs)), abs=1e-9)


def test_readings_that_differ_in_spaces_alone_are_one(random_log_probs) -> None:
    texts = [
        " ".join(h.text.split())
        for h in decoder(Bigrams(2), n_best=20).decode([LogProbs(random_log_probs(2, 8, 4))])[0]
    ]
    assert len(texts) == len(set(texts)) == 20


def test_hypotheses_come_with_the_frames_of_their_best_path(random_log_probs) -> None:
    log_probs = np.log([[0.1, 0.0001, 0.8, 0.0999], [0.8, 0.0001, 0.1, 0.0999], [0.1, 0.0001, 0.1, 0.7999]])
    best = decoder(Bigrams(1), n_best=1).decode([LogProbs(log_probs)])[0][0]
    assert (best.text, best.labels, best.frames) == ("AB", (2, 3), (0, 2))


def test_nothing_said_is_read_as_nothing() -> None:
    silence = np.log(np.tile([0.9999, 0.00005, 0.00005, 1e-9], (4, 1)))
    best = decoder(Bigrams(1), n_best=1).decode([LogProbs(silence)])[0][0]
    assert (best.text, best.labels, best.frames) == ("", (), ())


@given(seed=st.integers(0, 10_000), lengths=st.lists(st.integers(0, 20), min_size=1, max_size=6))
def test_side_by_side_as_one_by_one(seed: int, lengths: list[int], random_log_probs) -> None:
    """A model and hotwords at once; the states of both move with the prefixes."""
    log_probs = [random_log_probs(seed + i, n, 4, sharpness=2.0) for i, n in enumerate(lengths)]
    fusion = WordFusion(Bigrams(0), VOCABULARY, WEIGHTS)  # type: ignore[arg-type]
    scorers = [fusion, hotwords({"AB": 2.0}, VOCABULARY)]
    search = PrefixBeamSearch(4, scorers, BeamOptions(width=6, threshold=9.0, token_threshold=-3.0))
    assert search.read(log_probs, 6) == [search.finish(search.advance(search.start(), one), 6) for one in log_probs]


@pytest.mark.parametrize("weights", [WEIGHTS, FusionWeights(0.1, 2.0, 1.0), FusionWeights(0.0, -1.0, 0.5)])
def test_no_label_adds_more_than_the_bound(weights: FusionWeights) -> None:
    fusion = WordFusion(Bigrams(0), VOCABULARY, weights)  # type: ignore[arg-type]
    states, added = fusion.start()[np.newaxis], []
    for label in np.random.default_rng(0).integers(1, len(VOCABULARY), 200):
        scores, states = fusion.extend(states, np.array([label]))
        added.append(scores[0])
    assert max(added) <= fusion.max_score


@pytest.mark.parametrize(
    "weights", [{"alpha": -0.1}, {"beta": float("nan")}, {"unknown_score": "low"}, {"prior_scale": 1.1}]
)
def test_weights_that_are_none_are_refused(weights: dict) -> None:
    with pytest.raises(ConfigError, match=next(iter(weights))):
        FusionWeights(**weights)
