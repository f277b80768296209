"""The recordings that decoding weights are evaluated on, and the network's output for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from asr.arrays import LogProbs
from asr.audio import load_audio
from asr.data import Utterance
from asr.data.augment import Alteration, Step
from asr.data.augment.coloured_noise import ColouredNoise
from asr.data.augment.simulated_room import SimulatedRoom
from asr.data.augment.telephone import Telephone
from asr.decoding import Decoder, Hypothesis
from asr.decoding.priors import log_priors
from asr.evaluation import error_rate
from asr.inference.transcriber import Transcriber

CONDITIONS = tuple(
    Alteration((step,), seed=0)
    for step in (
        Step("room", SimulatedRoom()),
        Step("telephone", Telephone()),
        Step("noise", ColouredNoise((0.0, 20.0))),
    )
)
"""Conditions in which confidence must hold, too, and which can be made of any recording."""

_NOTHING = Hypothesis("", (), (), 0.0)


@dataclass(frozen=True, eq=False)
class DevSet:
    """Utterances that decoding weights are evaluated on.

    Attributes:
        log_probs: the network's output for each utterance.
        references: what was said, normalised.
        speakers: who said it.
    """

    log_probs: Sequence[LogProbs]
    references: Sequence[str]
    speakers: Sequence[str]

    @cached_property
    def priors(self) -> tuple[float, ...]:
        """The priors (V,) of the characters, as `asr.decoding.priors.log_priors`."""
        return tuple(log_priors([one.characters for one in self.log_probs]).tolist())

    @cached_property
    def phone_priors(self) -> tuple[float, ...]:
        """The priors (P,) of the phones, likewise; () where the network outputs none."""
        phones = [one.phones for one in self.log_probs if one.phones is not None]
        return tuple(log_priors(phones).tolist()) if phones else ()

    def thinned(self, words: int) -> DevSet:
        """Return every n-th utterance, with the largest n that leaves ``words`` words; all where there are fewer."""
        step = max(1, sum(len(reference.split()) for reference in self.references) // words)
        return DevSet(self.log_probs[::step], self.references[::step], self.speakers[::step])

    def best_hypotheses(self, decoder: Decoder) -> list[Hypothesis]:
        """Return the first hypothesis of each utterance, an empty one where there is none."""
        return [(hypotheses or [_NOTHING])[0] for hypotheses in decoder.decode(self.log_probs)]

    def error_rates(self, decoder: Decoder) -> tuple[float, float]:
        """Return WER and CER of a decoder, fractions."""
        texts = [best.text for best in self.best_hypotheses(decoder)]
        words, characters = (error_rate(self.references, texts, unit) for unit in ("word", "character"))
        return words.rate, characters.rate


def dev_set(model: Transcriber, utterances: Sequence[Utterance], alterations: Sequence[Alteration] = ()) -> DevSet:
    """Compute the log-probabilities of ``utterances``, whose normalised texts are the references.

    Args:
        model: the network.
        utterances: what was said, and where.
        alterations: the first utterance is altered by the first of these, the second by the second, and so on in turn;
            as recorded when there are none.

    Raises:
        AudioError: one of them cannot be read.
    """
    log_probs, rate = [], model.sample_rate
    for place, one in enumerate(utterances):
        samples = load_audio(one.audio_filepath, rate, offset_s=one.offset, duration_s=one.duration)
        if alterations:
            samples = alterations[place % len(alterations)](samples, rate, one.id, 0)
        log_probs.append(model.log_probs(samples))
    return DevSet(log_probs, [one.text for one in utterances], [one.speaker for one in utterances])
