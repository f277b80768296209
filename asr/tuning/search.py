"""Find on dev how much a language model should count in a beam search."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from multiprocessing import get_context
from pathlib import Path

from asr.decoding import BeamDecoder, BeamOptions, Decoder, FusionWeights, PhoneDecoder, WordFusion
from asr.decoding.priors import discount
from asr.lm import NgramModel, Pronunciations
from asr.text import Vocabulary
from asr.tuning.dev_set import DevSet

ALPHAS = (0.2, 0.4, 0.7, 1.0, 1.5)
BETAS = (-1.0, 0.0, 1.0, 2.5, 4.0)
UNKNOWN_SCORES = (-5.0, -15.0)
PRIOR_SCALES = (0.0, 0.5)
ENOUGH_WORDS, ENOUGH_PREFIXES = 1500, 64
"""Words of dev and beam width that tell the choices of the coarse grid apart; the finer grid has all of dev and the
whole beam."""


@dataclass(frozen=True)
class Trial:
    """One choice of weights, and its error rates on dev, fractions."""

    wer: float
    cer: float
    weights: FusionWeights


@dataclass(frozen=True, eq=False)
class Search:
    """A beam search with a language model, in all but its weights.

    Attributes:
        vocabulary: the V labels of characters.
        language_model: a file that `NgramModel.save` wrote.
        beam_width: prefixes kept.
        priors: those of the labels that are searched: `DevSet.priors` (V,), or `DevSet.phone_priors` (P,).
        pronunciations: how the model's words are said, for a search over phones; None for a search over characters.
    """

    vocabulary: Vocabulary
    language_model: Path
    beam_width: int
    priors: Sequence[float]
    pronunciations: Pronunciations | None = None

    @cached_property
    def _model(self) -> NgramModel:
        return NgramModel.open(self.language_model)

    def decoder(self, weights: FusionWeights) -> Decoder:
        """Return the decoder with these weights."""
        options, less = BeamOptions(self.beam_width), discount(self.priors, weights.prior_scale)
        if self.pronunciations is None:
            fusion = WordFusion(self._model, self.vocabulary, weights)
            return BeamDecoder(self.vocabulary, [fusion], options, discount=less, own_model=self._model)
        return PhoneDecoder(self.vocabulary, self._model, self.pronunciations, weights, options, discount=less)

    def choices(self) -> list[FusionWeights]:
        """Return a coarse grid of weights; the score of unknown words is searched with the others.

        Where a wrong word costs little as an unknown one, the best weights are those that trust the model little.
        """
        unknown = UNKNOWN_SCORES if self.pronunciations is None else UNKNOWN_SCORES[:1]
        return [FusionWeights(*choice) for choice in product(ALPHAS, BETAS, unknown, PRIOR_SCALES)]

    def refinements(self, weights: FusionWeights) -> list[FusionWeights]:
        """Return these weights with other scores of unknown words, and with other shares of the priors divided out."""
        scores_of_unknown = (0.4, 2.0) if self.pronunciations is None else ()
        scales = {min(weights.prior_scale * by, 1.0) for by in (0.5, 1.5)} - {weights.prior_scale}
        return [
            *(replace(weights, unknown_score=weights.unknown_score * by) for by in scores_of_unknown),
            *(replace(weights, prior_scale=scale) for scale in sorted(scales)),
        ]


@dataclass(frozen=True, eq=False)
class _Work:
    """The data of a worker process: they are sent once, and each trial then costs a few numbers."""

    dev: DevSet
    search: Search

    def try_out(self, weights: FusionWeights) -> Trial:
        return Trial(*self.dev.error_rates(self.search.decoder(weights)), weights)


def find_weights(
    dev: DevSet, search: Search, *, processes: int, tried: Callable[[Trial], object] = lambda trial: None
) -> Trial:
    """Find the weights of the fewest word errors on ``dev``, by a grid and then a finer one around its best.

    The grid is searched with a beam that is enough to tell good weights from bad.

    Args:
        dev: utterances that neither the acoustic nor the language model has learned from.
        search: the beam search whose weights are wanted.
        processes: how many trials run at a time.
        tried: called with each trial as it is done.
    """
    context = get_context("spawn")

    def best_of(some: DevSet, search: Search, choices: Iterable[FusionWeights]) -> Trial:
        found, work = [], _Work(some, search)
        with ProcessPoolExecutor(processes, mp_context=context, initializer=_begin, initargs=(work,)) as pool:
            for trial in pool.map(_try_out, choices):
                tried(trial)
                found.append(trial)
        return min(found, key=lambda trial: (trial.wer, trial.cer))

    narrow = replace(search, beam_width=min(search.beam_width, ENOUGH_PREFIXES))
    best = best_of(dev.thinned(ENOUGH_WORDS), narrow, search.choices())
    best = best_of(dev, search, _around(best.weights))
    others = search.refinements(best.weights)
    return min(best, best_of(dev, search, others), key=lambda trial: (trial.wer, trial.cer)) if others else best


_work: _Work


def _begin(work: _Work) -> None:
    global _work
    _work = work


def _try_out(weights: FusionWeights) -> Trial:
    return _work.try_out(weights)


def _around(weights: FusionWeights) -> list[FusionWeights]:
    """Return these weights and their eight neighbours."""
    steps = product((0.8, 1.0, 1.25), (-0.5, 0.0, 0.5))
    return [replace(weights, alpha=weights.alpha * by, beta=weights.beta + plus) for by, plus in steps]
