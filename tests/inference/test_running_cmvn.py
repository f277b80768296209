"""Features of chunks, normalised by what was heard until then."""

from __future__ import annotations

import numpy as np

from asr.features import FrontEnd, UtteranceCmvn
from asr.inference.running_cmvn import RunningCmvn

WINDOW = np.hanning(400).astype(np.float32)
LEVELS = FrontEnd(16_000, 160, WINDOW, 1e-10)
CEPSTRA = FrontEnd(
    16_000, 160, WINDOW, 1e-10, mel=np.eye(20, 201, dtype=np.float32), dct=np.eye(5, 20, dtype=np.float32)
)
NOISE = np.random.default_rng(0).normal(scale=0.1, size=16_000).astype(np.float32)
ZEROS = np.zeros(32_000, np.float32)


def test_the_first_chunk_is_normalised_by_itself() -> None:
    np.testing.assert_allclose(
        RunningCmvn(LEVELS, UtteranceCmvn()).accept(LEVELS(NOISE)), UtteranceCmvn()(LEVELS(NOISE)), atol=1e-6
    )


def test_a_chunk_is_normalised_together_with_what_was_before_it() -> None:
    running = RunningCmvn(LEVELS, UtteranceCmvn())
    running.accept(LEVELS(NOISE))
    both = np.concatenate([LEVELS(NOISE), LEVELS(0.1 * NOISE)])
    np.testing.assert_allclose(running.accept(LEVELS(0.1 * NOISE)), UtteranceCmvn()(both)[-101:], atol=1e-5)


def test_digital_silence_does_not_count() -> None:
    within = np.concatenate([ZEROS, NOISE, ZEROS])
    inside = slice(203, 298)  # frames that hear the noise alone
    alone = UtteranceCmvn()(LEVELS(NOISE))[3:98]
    found = RunningCmvn(LEVELS, UtteranceCmvn()).accept(LEVELS(within))
    counted = UtteranceCmvn()(LEVELS(within))[inside]
    assert np.abs(found[inside] - alone).mean() < 0.25 < 0.7 < np.abs(counted - alone).mean()
    assert -4 < found[:190].mean() < np.percentile(found[inside], 10), "as quiet as the quietest that was heard"


def test_a_chunk_of_nothing_else_is_constant() -> None:
    assert not RunningCmvn(LEVELS, UtteranceCmvn()).accept(LEVELS(ZEROS)).any()


def test_cepstra_have_no_levels_to_tell_silence_by() -> None:
    samples = np.concatenate([ZEROS, NOISE])
    found = RunningCmvn(CEPSTRA, UtteranceCmvn()).accept(CEPSTRA(samples))
    np.testing.assert_allclose(found, UtteranceCmvn()(CEPSTRA(samples)), atol=1e-6)
