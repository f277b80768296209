"""Evaluation of hypotheses: word and character error rates, normalised and verbatim, of corpus and speakers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from asr.errors import AsrError, EvaluationError
from asr.evaluation.error_rate import ErrorRate, utterance_errors
from asr.evaluation.interval import bootstrap_interval
from asr.evaluation.speakers import by_speaker, drawn_groups
from asr.rates import Interval, Rate
from asr.text import normalise
from asr.text.losses import Loss, find_losses
from asr.text.normalisers import FOR_SCORING

_SHOWN = 20


class Reference(Protocol):
    """A reference transcript: an ``asr.data.Utterance``, or a line of a text file."""

    @property
    def id(self) -> str:
        """The id, unique in the test set."""

    @property
    def text(self) -> str:
        """The transcript, not normalised."""

    @property
    def speaker(self) -> str:
        """The speaker, the unit of the bootstrap; the id if the speaker is not known."""


@dataclass(frozen=True)
class ScoredUtterance:
    """An utterance's normalised reference and hypothesis, and its errors."""

    id: str
    speaker: str
    reference: str
    hypothesis: str
    words: ErrorRate
    characters: ErrorRate


@dataclass(frozen=True)
class SpeakerScore:
    """The errors of one speaker, summed over ``utterances`` utterances."""

    speaker: str
    utterances: int
    words: ErrorRate
    characters: ErrorRate


@dataclass(frozen=True)
class Score:
    """A corpus error rate and its confidence interval, None if nothing can be resampled."""

    errors: ErrorRate
    interval: Interval | None

    def figures(self) -> Rate:
        """Return the rate, the counts and the interval, as files hold them; JSON has no infinite rate."""
        rate = self.errors.rate if math.isfinite(self.errors.rate) else None
        return Rate(rate, **asdict(self.errors), interval=self.interval)

    def to_json(self) -> dict[str, Any]:
        """Return the counts, the rate and the interval as plain numbers, strings and dicts."""
        return asdict(self.figures())


@dataclass(frozen=True)
class Scores:
    """The scores of a test set after one normaliser."""

    normaliser: str
    words: Score
    characters: Score
    utterances: tuple[ScoredUtterance, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the WER and the CER as plain numbers, strings and dicts."""
        return {"normaliser": self.normaliser, "wer": self.words.to_json(), "cer": self.characters.to_json()}


@dataclass(frozen=True)
class Failure:
    """An utterance with an error instead of a text; it is scored as an empty hypothesis."""

    id: str
    code: str
    message: str


@dataclass(frozen=True)
class Lost:
    """Spoken characters, such as digits, that the normaliser leaves out: errors in them are not counted."""

    references: tuple[Loss, ...] = ()
    hypotheses: tuple[Loss, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return kinds, counts, characters and ids of both sides."""
        return asdict(self)


@dataclass(frozen=True)
class Evaluation:
    """The result of ``evaluate``: scores after the chosen normaliser, and scores of the verbatim texts.

    Attributes:
        normalised: scores of the texts as the normaliser writes them.
        verbatim: scores of the texts as they came.
        failures: utterances that gave an error.
        lost: characters that the normaliser leaves out of the texts, so that no score counts them.
    """

    normalised: Scores
    verbatim: Scores
    failures: tuple[Failure, ...]
    lost: Lost

    def by_speaker(self) -> list[SpeakerScore]:
        """Sum the normalised errors by speaker, the highest WER first; empty if each utterance has its own speaker."""
        scores = [
            SpeakerScore(speaker, len(group), _total(group, "words"), _total(group, "characters"))
            for speaker, group in by_speaker(self.normalised.utterances).items()
        ]
        return sorted(scores, key=lambda score: (-score.words.rank, score.speaker))

    def worst(self, count: int) -> list[ScoredUtterance]:
        """Return at most ``count`` utterances with errors, the most word errors first; failures are left out."""
        failed = {failure.id for failure in self.failures}
        wrong = [u for u in self.normalised.utterances if u.words.errors and u.id not in failed]
        return sorted(wrong, key=lambda u: (-u.words.errors, -u.words.rate, u.id))[:count]

    def to_json(self, worst: int = 5) -> dict[str, Any]:
        """Return plain numbers, strings, lists and dicts, with the ``worst`` utterances; rates are fractions."""
        return {
            "utterances": len(self.normalised.utterances),
            **self.normalised.to_json(),
            "verbatim": self.verbatim.to_json(),
            "by_speaker": [_named(score, "utterances") for score in self.by_speaker()],
            "failures": [asdict(failure) for failure in self.failures],
            "lost": self.lost.to_json(),
            "worst": [_named(u, "id", "reference", "hypothesis") for u in self.worst(worst)],
        }


def _named(score: SpeakerScore | ScoredUtterance, *names: str) -> dict[str, Any]:
    fields = {name: getattr(score, name) for name in ("speaker", *names)}
    return fields | {"wer": score.words.to_json(), "cer": score.characters.to_json()}


def evaluate(
    references: Sequence[Reference],
    hypotheses: Mapping[str, str | AsrError] | Sequence[str | AsrError],
    normaliser: str = FOR_SCORING,
    *,
    seed: int = 0,
) -> Evaluation:
    """Score ``hypotheses`` (by id, or in the order of ``references``).

    An error in place of a text is a failure: every word of its reference counts as deleted. The bootstrap draws
    speakers; if there is only one, or each utterance has its own, it draws utterances.

    References may all be empty, as those of silence are: the rates are no numbers then, and insertions are counted.

    Raises:
            EvaluationError: there are no references, ids occur twice, hypotheses are missing or left over, or the
                normaliser leaves no word of the references.
        ConfigError: no normaliser has this name.
    """
    found = _matched(references, hypotheses)
    pairs = list(zip(references, found, strict=True))
    _refuse("have neither a text nor an error", [r.id for r, text in pairs if not isinstance(text, str | AsrError)])
    texts = ["" if isinstance(text, AsrError) else text for text in found]
    lost = Lost(
        tuple(find_losses(((r.id, r.text) for r in references), normaliser)),
        tuple(find_losses(((r.id, text) for r, text in zip(references, texts, strict=True)), normaliser)),
    )
    normalised = _score(references, texts, normaliser, seed)
    if lost.references and not normalised.words.errors.reference_length:
        raise EvaluationError(
            f"the normaliser {normaliser} leaves no word of the references to score, it loses "
            f"{'; '.join(map(str, lost.references))}; choose another, such as {FOR_SCORING}"
        )
    return Evaluation(
        normalised=normalised,
        verbatim=_score(references, texts, "verbatim", seed),
        failures=tuple(
            Failure(reference.id, text.code, str(text)) for reference, text in pairs if isinstance(text, AsrError)
        ),
        lost=lost,
    )


def _score(references: Sequence[Reference], hypotheses: list[str], normaliser: str, seed: int) -> Scores:
    truths = [normalise(reference.text, normaliser) for reference in references]
    texts = [normalise(text, normaliser) for text in hypotheses]
    words, characters = utterance_errors(truths, texts, "word"), utterance_errors(truths, texts, "character")
    utterances = tuple(
        ScoredUtterance(r.id, r.speaker, truth, text, of_words, of_characters)
        for r, truth, text, of_words, of_characters in zip(references, truths, texts, words, characters, strict=True)
    )
    return Scores(normaliser, _corpus(utterances, "words", seed), _corpus(utterances, "characters", seed), utterances)


def _corpus(utterances: tuple[ScoredUtterance, ...], unit: Literal["words", "characters"], seed: int) -> Score:
    over, groups = drawn_groups(utterances)
    interval = bootstrap_interval([_total(group, unit) for group in groups], over=over, seed=seed)
    return Score(_total(utterances, unit), interval)


def _total(utterances: Sequence[ScoredUtterance], unit: Literal["words", "characters"]) -> ErrorRate:
    return sum((getattr(utterance, unit) for utterance in utterances), ErrorRate())


def _matched(
    references: Sequence[Reference], hypotheses: Mapping[str, str | AsrError] | Sequence[str | AsrError]
) -> list[str | AsrError]:
    """Return the hypothesis of each reference, in order."""
    ids = [reference.id for reference in references]
    if not ids:
        raise EvaluationError("no references; nothing can be scored")
    _refuse("occur twice among the references", [name for name, times in Counter(ids).items() if times > 1])
    if not isinstance(hypotheses, Mapping):
        if len(hypotheses) != len(ids):
            raise EvaluationError(f"{len(ids)} references and {len(hypotheses)} hypotheses; each needs exactly one")
        return list(hypotheses)
    _refuse("have no hypothesis", [name for name in ids if name not in hypotheses])
    _refuse("have a hypothesis but no reference", sorted(hypotheses.keys() - set(ids)))
    return [hypotheses[name] for name in ids]


def _refuse(fault: str, ids: list[str]) -> None:
    if ids:
        more = f" … and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
        raise EvaluationError(f"{len(ids)} ids {fault}: {', '.join(ids[:_SHOWN])}{more}")
