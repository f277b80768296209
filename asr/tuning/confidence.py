"""Fit the models of confidence to recordings as they are and altered, and measure them on other speakers.

A model that is fitted to clean recordings alone is too sure in noise, so each recording of dev counts once more as it
would be in a room, by telephone or in noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from asr.decoding import Decoder, Hypothesis
from asr.decoding.alignment import forced_alignment
from asr.decoding.calibration import expected_calibration_error, roc_area
from asr.decoding.confidence_model import ConfidenceModel
from asr.decoding.word_evidence import ACOUSTIC, BY_LANGUAGE_MODEL, BY_PHONES, Features, word_evidence
from asr.evaluation.correct_words import correct_words
from asr.text import Vocabulary, frames_needed
from asr.tuning.dev_set import DevSet

SPEAKERS, UTTERANCES = "speakers", "utterances"

_EXCHANGED = 1 / 7
"""Share of a text's words that are exchanged for others, to learn how those look that were not said."""


@dataclass(frozen=True)
class ConfidenceError:
    """How good confidence is for words that it was not fitted to.

    Attributes:
        words: the number of words.
        wrong: the number of words that are errors.
        calibration: the expected calibration error.
        roc_area: the area under the ROC curve; None if no word is right or none is wrong.
        before: the expected calibration error of the letters' probability itself, which nothing has been fitted to.
    """

    words: int
    wrong: int
    calibration: float
    roc_area: float | None
    before: float


@dataclass(frozen=True)
class ConfidenceReport:
    """The models of confidence that were fitted to a dev set, and how good they are.

    Attributes:
        models: a model for hypotheses of the tuned decoder, and one for hypotheses of any.
        words: the number of words that the tuned decoder found in dev as recorded.
        wrong: the number of them that are errors.
        alignment: a model for the words of given texts; None without words.
        recorded: how good the first model is for dev as recorded; None where this cannot be measured.
        altered: how good it is for dev altered; None where this cannot be measured.
        measured_on: ``speakers`` or ``utterances``: each half is measured with models fitted to the other half. It is
            utterances where dev has one speaker.
    """

    models: tuple[ConfidenceModel, ...]
    words: int
    wrong: int
    alignment: ConfidenceModel | None = None
    recorded: ConfidenceError | None = None
    altered: ConfidenceError | None = None
    measured_on: str = SPEAKERS

    @property
    def usual_confidence(self) -> float | None:
        """The share of the words of dev as recorded that are right; None without words."""
        return 1 - self.wrong / self.words if self.words else None


@dataclass(frozen=True)
class JudgedWords:
    """The words that a decoder found in some utterances.

    Attributes:
        features: name → values (n,) of all words.
        correct: (n,) bool, whether each is right.
        groups: (n,) the speaker or the utterance of each.
    """

    features: Features
    correct: np.ndarray
    groups: np.ndarray

    def __len__(self) -> int:
        """Return the number of words."""
        return len(self.correct)

    def where(self, chosen: np.ndarray) -> JudgedWords:
        """Return the words that are ``chosen`` (n,) bool."""
        kept = {name: values[chosen] for name, values in self.features.items()}
        return JudgedWords(kept, self.correct[chosen], self.groups[chosen])

    @classmethod
    def joined(cls, several: Sequence[JudgedWords]) -> JudgedWords:
        """Return all words of ``several``, with the features that all of them have."""
        names = set.intersection(*(set(one.features) for one in several))
        return cls(
            {name: np.concatenate([one.features[name] for one in several]) for name in sorted(names)},
            np.concatenate([one.correct for one in several]),
            np.concatenate([one.groups for one in several]),
        )


def judge_words(decoder: Decoder, dev: DevSet, vocabulary: Vocabulary, groups: Sequence[str]) -> JudgedWords:
    """Return the words that ``decoder`` finds in ``dev``, of whose utterances each belongs to one of ``groups``."""
    hypotheses = dev.best_hypotheses(decoder)
    evidence = word_evidence(dev.log_probs, hypotheses, vocabulary)
    found = [
        JudgedWords(features, correct, np.full(len(correct), group))
        for features, best, reference, group in zip(evidence, hypotheses, dev.references, groups, strict=True)
        if len(correct := correct_words(reference, " ".join(best.text.split())))
    ]
    return JudgedWords.joined(found) if found else JudgedWords({}, np.zeros(0, bool), np.zeros(0, str))


def fit_confidence(
    decoder: Decoder, dev: DevSet, altered: Sequence[DevSet], vocabulary: Vocabulary, seed: int = 0
) -> ConfidenceReport:
    """Fit the models of the confidence of ``decoder``'s words to ``dev`` and to the same utterances ``altered``.

    Args:
        decoder: the decoder that the bundle will use.
        dev: utterances that the network has not learned from.
        altered: utterances of the same speakers or ids under other conditions.
        vocabulary: the labels of characters.
        seed: the seed of the random split into halves, for measuring.
    """
    by_speaker = len(set(dev.speakers)) > 1

    def judged(one: DevSet) -> JudgedWords:
        return judge_words(decoder, one, vocabulary, one.speakers if by_speaker else one.references)

    recorded = judged(dev)
    others = [words for words in map(judged, altered) if len(words)]
    if not len(recorded):
        return ConfidenceReport((), 0, 0)
    report = ConfidenceReport(
        fit_models([recorded, *others]),
        len(recorded),
        int((~recorded.correct).sum()),
        _fit_alignment([dev, *altered], vocabulary, seed),
        measured_on=SPEAKERS if by_speaker else UTTERANCES,
    )
    return _measured(report, recorded, others, seed)


def judge_texts(dev: DevSet, vocabulary: Vocabulary, seed: int = 0) -> JudgedWords:
    """Return the words of dev's references, aligned, of which one in seven is exchanged for another word of dev.

    What is left out are texts that the frames cannot spell, or the vocabulary cannot write.
    """
    random = np.random.default_rng(seed)
    said = [word for reference in dev.references for word in reference.split()]
    output, hypotheses, marks = [], [], []
    for one, reference in zip(dev.log_probs, dev.references, strict=True):
        right = reference.split()
        exchanged = random.random(len(right)) < _EXCHANGED
        others = random.integers(len(said), size=len(right))
        words = [said[o] if e else w for w, e, o in zip(right, exchanged, others, strict=True)]
        text = " ".join(words)
        if vocabulary.unknown(text):
            continue
        labels = vocabulary.encode(text)
        if words and frames_needed(labels) <= len(one):
            found = forced_alignment(one.characters, labels)
            output.append(one)
            hypotheses.append(Hypothesis(text, tuple(labels.tolist()), tuple(found.first.tolist()), 0.0))
            marks.append(np.array([word == other for word, other in zip(right, words, strict=True)]))
    evidence = word_evidence(output, hypotheses, vocabulary)
    pairs = zip(evidence, marks, strict=True)
    judged = [JudgedWords(one, correct, np.full(len(correct), "")) for one, correct in pairs]
    return JudgedWords.joined(judged) if judged else JudgedWords({}, np.zeros(0, bool), np.zeros(0, str))


def _fit_alignment(several: Sequence[DevSet], vocabulary: Vocabulary, seed: int) -> ConfidenceModel | None:
    texts = [words for words in (judge_texts(one, vocabulary, seed) for one in several) if len(words)]
    if not texts:
        return None
    words = JudgedWords.joined(texts)
    return ConfidenceModel.fit(words.features, ACOUSTIC, words.correct)


def fit_models(several: Sequence[JudgedWords]) -> tuple[ConfidenceModel, ...]:
    """Return a model of all features that the words have, and one of those that any hypothesis has."""
    words = JudgedWords.joined(several)
    every = [name for name in (*ACOUSTIC, *BY_PHONES, *BY_LANGUAGE_MODEL) if name in words.features]
    wanted = [every] if every == list(ACOUSTIC) else [every, ACOUSTIC]
    return tuple(ConfidenceModel.fit(words.features, names, words.correct) for names in wanted)


def _measured(
    report: ConfidenceReport, recorded: JudgedWords, others: Sequence[JudgedWords], seed: int
) -> ConfidenceReport:
    """Return the report with errors by two-fold cross-validation; without them where there are no two groups."""
    first = _half(recorded.groups, seed)
    if not first:
        return report
    errors: list[ConfidenceError | None] = []
    for measured in ([recorded], others):
        pairs = []
        for held_out in (True, False):
            models = fit_models([one.where(np.isin(one.groups, first) != held_out) for one in (recorded, *others)])
            for one in measured:
                tested = one.where(np.isin(one.groups, first) == held_out)
                if len(tested):
                    pairs.append((models[0](tested.features), tested))
        errors.append(_error(pairs) if pairs else None)
    return replace(report, recorded=errors[0], altered=errors[1])


def _error(pairs: Sequence[tuple[np.ndarray, JudgedWords]]) -> ConfidenceError:
    confidence, words = np.concatenate([one for one, _ in pairs]), JudgedWords.joined([words for _, words in pairs])
    return ConfidenceError(
        words=len(words),
        wrong=int((~words.correct).sum()),
        calibration=expected_calibration_error(confidence, words.correct),
        roc_area=roc_area(confidence, words.correct),
        before=expected_calibration_error(words.features["spelled"], words.correct),
    )


def _half(groups: np.ndarray, seed: int) -> list[str]:
    """Return half of the groups, drawn at random; none where there are fewer than two."""
    names = np.unique(groups)
    order = np.random.default_rng(seed).permutation(len(names))
    return [str(name) for name in names[order[: len(names) // 2]]]
