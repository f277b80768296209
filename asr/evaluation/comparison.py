"""Comparison of two systems on the same utterances: which makes fewer errors, and whether that is significant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from asr.errors import AsrError, EvaluationError
from asr.evaluation.error_rate import ErrorRate
from asr.evaluation.evaluation import Evaluation, Reference, ScoredUtterance, evaluate
from asr.evaluation.matched_pairs import MatchedPairs, error_segments, matched_pairs
from asr.evaluation.paired_bootstrap import Difference, paired_bootstrap
from asr.evaluation.speakers import by_speaker, drawn_groups
from asr.text.normalisers import FOR_SCORING

SIGNIFICANT = 0.05
"""A p-value below this is significant."""


@dataclass(frozen=True)
class Pair:
    """The errors of both systems on the same reference: one utterance, or all utterances of a speaker."""

    name: str
    speaker: str
    a: ErrorRate
    b: ErrorRate


@dataclass(frozen=True)
class Tally:
    """The numbers of pairs where A makes fewer errors (``wins``), more (``losses``) or as many (``ties``) as B."""

    wins: int
    losses: int
    ties: int


@dataclass(frozen=True)
class Comparison:
    """Two evaluations and paired tests of their word errors; ``difference`` is None if nothing can be resampled."""

    a: Evaluation
    b: Evaluation
    difference: Difference | None
    matched_pairs: MatchedPairs

    @property
    def better(self) -> Literal["A", "B"] | None:
        """The system with significantly fewer word errors, or None.

        A difference is significant if the matched-pair test has p < 0.05 and its confidence interval excludes 0.
        """
        found = self.difference
        if found is None or self.matched_pairs.p >= SIGNIFICANT or not found.excludes_zero:
            return None
        return "A" if found.rate < 0 else "B"

    @property
    def utterances(self) -> list[Pair]:
        """The errors of both systems in each utterance, in order."""
        pairs = zip(self.a.normalised.utterances, self.b.normalised.utterances, strict=True)
        return [Pair(a.id, a.speaker, a.words, b.words) for a, b in pairs]

    @property
    def speakers(self) -> list[Pair]:
        """The errors of both systems by speaker, in order of appearance; empty if each utterance has its own one."""
        return [Pair(name, name, *_totals(group)) for name, group in by_speaker(self.utterances).items()]

    def to_json(self) -> dict[str, Any]:
        """Return plain numbers, strings, lists and dicts; rates and their difference (A minus B) are fractions."""
        return {
            "utterances": len(self.utterances),
            "normaliser": self.a.normalised.normaliser,
            "lost": {"a": self.a.lost.to_json(), "b": self.b.lost.to_json()},
            "better": self.better,
            "a": _scored(self.a),
            "b": _scored(self.b),
            "difference": asdict(self.difference) if self.difference else None,
            "matched_pairs": asdict(self.matched_pairs),
            "by_utterance": asdict(tally(self.utterances)),
            "by_speaker": asdict(tally(self.speakers))
            | {"speakers": [{"speaker": p.name, "a": p.a.to_json(), "b": p.b.to_json()} for p in self.speakers]},
        }


def _scored(evaluation: Evaluation) -> dict[str, Any]:
    scores = evaluation.normalised.to_json()
    return {
        "wer": scores["wer"],
        "cer": scores["cer"],
        "failures": [asdict(failure) for failure in evaluation.failures],
    }


def compare(
    references: Sequence[Reference],
    a: Mapping[str, str | AsrError],
    b: Mapping[str, str | AsrError],
    normaliser: str = FOR_SCORING,
    *,
    seed: int = 0,
) -> Comparison:
    """Compare the word errors of two systems, given their hypotheses by id.

    As in ``evaluate``, an error in place of a text counts as deletions, and the bootstrap draws speakers or utterances.

    Raises:
        EvaluationError, ConfigError: as ``evaluate`` raises them, for either system.
    """
    of_a, of_b = evaluate(references, a, normaliser, seed=seed), evaluate(references, b, normaliser, seed=seed)
    return compare_evaluations(of_a, of_b, seed=seed)


def compare_evaluations(a: Evaluation, b: Evaluation, *, seed: int = 0) -> Comparison:
    """Compare two evaluations of the same references, in the same order and with the same normaliser.

    Raises:
        EvaluationError: the references differ.
    """
    _refuse_other_references(a, b)
    pairs = [*zip(a.normalised.utterances, b.normalised.utterances, strict=True)]
    segments = [segment for of_a, of_b in pairs for segment in _segments(of_a, of_b)]
    over, groups = drawn_groups([Pair(of_a.id, of_a.speaker, of_a.words, of_b.words) for of_a, of_b in pairs])
    totals_a, totals_b = zip(*map(_totals, groups), strict=True)
    return Comparison(a, b, paired_bootstrap(totals_a, totals_b, over=over, seed=seed), matched_pairs(segments))


def _refuse_other_references(a: Evaluation, b: Evaluation) -> None:
    of_a, of_b = ([(u.id, u.speaker, u.reference) for u in e.normalised.utterances] for e in (a, b))
    if len(of_a) != len(of_b):
        raise EvaluationError(
            f"{len(of_a)} utterances of A and {len(of_b)} of B; both must come from the same manifest"
        )
    if differing := [one[0] for one, other in zip(of_a, of_b, strict=True) if one != other]:
        raise EvaluationError(
            f"{len(differing)} utterances of A have another id, speaker or reference in B, such as {differing[0]}; "
            "both must come from the same manifest, in the same order and with the same normaliser"
        )


def _segments(a: ScoredUtterance, b: ScoredUtterance) -> list[tuple[int, int]]:
    return error_segments(a.reference, a.hypothesis, b.hypothesis)


def _totals(pairs: Sequence[Pair]) -> tuple[ErrorRate, ErrorRate]:
    return sum((pair.a for pair in pairs), ErrorRate()), sum((pair.b for pair in pairs), ErrorRate())


def tally(pairs: Sequence[Pair]) -> Tally:
    """Count in how many pairs A makes fewer, more or as many errors as B."""
    differences = [pair.a.errors - pair.b.errors for pair in pairs]
    return Tally(sum(d < 0 for d in differences), sum(d > 0 for d in differences), differences.count(0))
