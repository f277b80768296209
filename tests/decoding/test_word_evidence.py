"""The evidence for words: occurrence against all paths, and the features against hand-made frames."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from asr.arrays import LogProbs
from asr.decoding import Hypothesis
from asr.decoding.word_evidence import ACOUSTIC, BY_LANGUAGE_MODEL, BY_PHONES, occurrence, word_evidence
from asr.text import Vocabulary

VOCABULARY = Vocabulary(tuple(" AB"))


def expected_count(probabilities: np.ndarray, text: tuple[int, ...], opens: bool) -> float:
    """The occurrences of ``text`` in each of all paths, weighed by the path's probability."""
    total = 0.0
    frames, labels = probabilities.shape
    for path in itertools.product(range(labels), repeat=frames):
        probability = np.prod([probabilities[t, label] for t, label in enumerate(path)])
        if not probability:
            continue
        runs = [label for label, _ in itertools.groupby(path)]
        if opens:  # the first delimiter stands before the first frame, which it does not share
            said = [label for label in runs if label]
            total += probability * (said[: len(text) - 1] == list(text[1:]))
            continue
        said = [label for label in runs if label]
        count = sum(said[i : i + len(text)] == list(text) for i in range(len(said)))
        total += probability * count
    return total


@pytest.mark.parametrize("opens", [False, True])
@pytest.mark.parametrize("text", [(1, 2, 1), (1, 2, 2, 1), (1, 2, 3, 1)])
def test_occurrence_is_the_sum_over_all_paths(text: tuple[int, ...], opens: bool) -> None:
    probabilities = np.random.default_rng(len(text)).dirichlet(np.ones(4), 6)
    found = occurrence(probabilities, np.array([0]), np.array([6]), [text], np.array([opens]))
    assert found == pytest.approx([expected_count(probabilities, text, opens)], rel=1e-9)


def test_texts_together_are_as_alone() -> None:
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(5), 40).astype(np.float32)
    texts = [(1, 2, 1), (1, 3, 4, 2, 1), (1, 4, 1), (1, 2, 2, 1)]
    starts, ends = np.array([0, 5, 20, 33]), np.array([9, 30, 27, 40])
    opens = np.array([True, False, False, False])
    together = occurrence(probabilities, starts, ends, texts, opens)
    alone = [
        occurrence(probabilities, starts[i : i + 1], ends[i : i + 1], texts[i : i + 1], opens[i : i + 1])[0]
        for i in range(4)
    ]
    assert together.tolist() == alone


def heard(letters: str, phones: list[int], share: float = 0.9) -> LogProbs:
    """A network's output: a letter and a phone label every other frame, blanks between."""
    rows = np.full((2 * max(len(letters), len(phones)) + 1, 8), (1 - share) / 3)
    rows[::2, [0, 4]] = rows[2 * len(letters) + 1 :, 0] = rows[2 * len(phones) + 1 :, 4] = share
    rows[2 * len(letters) + 1 :, 1:4] = rows[::2, 1:4] = rows[::2, 5:] = (1 - share) / 3
    for t, letter in enumerate(letters):
        rows[2 * t + 1, VOCABULARY.encode(letter)[0]] = share
    for t, phone in enumerate(phones):
        rows[2 * t + 1, 4 + phone] = share
    return LogProbs.split(np.log(rows), 4)


HYPOTHESIS = Hypothesis("A B", (2, 1, 3), (1, 3, 5), -1.0, phones=(2, 1, 3, 1), word_log_probs=(-1.5, -4.0))


def test_a_hypothesis_has_the_features_of_its_decoder() -> None:
    log_probs = heard("A B", [2, 1, 3, 1])
    (every,) = word_evidence([log_probs], [HYPOTHESIS], VOCABULARY)
    assert set(every) == {"spelled", *ACOUSTIC, *BY_PHONES, *BY_LANGUAGE_MODEL}
    assert every["language_model"].tolist() == [-1.5, -4.0]
    assert every["next_word"].tolist() == [-4.0, 0.0]
    assert (every["letters"].tolist(), every["phones"].tolist()) == ([1, 1], [1, 1])
    (few,) = word_evidence([log_probs], [replace(HYPOTHESIS, phones=(), word_log_probs=())], VOCABULARY)
    assert set(few) == {"spelled", *ACOUSTIC}
    (none,) = word_evidence([log_probs], [Hypothesis("", (), (), 0.0)], VOCABULARY)
    assert all(len(values) == 0 for values in none.values())


def test_phones_speak_for_their_words_wherever_they_are_near() -> None:
    """The second word's phones are others than the hypothesis says; then all are two frames late."""
    (right,) = word_evidence([heard("A B", [2, 1, 3, 1])], [HYPOTHESIS], VOCABULARY)
    (wrong,) = word_evidence([heard("A B", [2, 1, 2, 1])], [HYPOTHESIS], VOCABULARY)
    assert (right["phones_evidence"] > 0).all()
    assert wrong["phones_evidence"][0] > 0 > wrong["phones_evidence"][1]
    assert wrong["letters_evidence"] == pytest.approx(right["letters_evidence"], abs=0.5)
    late = heard("A B", [2, 1, 3, 1, 0])
    assert late.phones is not None
    late.phones[2:], late.phones[:2] = late.phones[:-2].copy(), late.phones[0]
    assert (word_evidence([late], [HYPOTHESIS], VOCABULARY)[0]["phones_evidence"] > 0).all()


def test_recordings_together_are_as_alone() -> None:
    several = [heard("A B", [2, 1, 3, 1]), heard("A B", [3, 1, 2, 1], 0.6), heard("A B", [2, 1, 3])]
    hypotheses = [HYPOTHESIS, HYPOTHESIS, replace(HYPOTHESIS, phones=())]
    together = word_evidence(several, hypotheses, VOCABULARY)
    for one, hypothesis, found in zip(several, hypotheses, together, strict=True):
        (alone,) = word_evidence([one], [hypothesis], VOCABULARY)
        assert {name: values.tolist() for name, values in alone.items()} == {
            name: values.tolist() for name, values in found.items()
        }


def test_a_region_of_weak_words_speaks_against_each() -> None:
    (found,) = word_evidence([heard("A B", [2, 1, 3, 1], 0.5)], [HYPOTHESIS], VOCABULARY)
    assert found["region_evidence"].tolist() == [found["letters_evidence"].mean()] * 2
