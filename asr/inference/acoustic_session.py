"""Run a bundle's ONNX graph on one chunk at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asr.arrays import Features, LogProbs
from asr.errors import BundleCorruptError
from asr.onnx_runtime import import_onnxruntime


class AcousticSession:
    """An ONNX Runtime session: features of one chunk in, log-probabilities out.

    Eight-bit graphs scale the inputs of each product by the range that they have in the batch, so chunks in one batch
    would change each other's log-probabilities. Each chunk is therefore a batch of its own, computed by one thread;
    several threads may call the session at once. On two cores this also costs the least time: a second of audio takes
    0.8 ms with two chunks side by side, 2.0 ms with one chunk at a time by two threads, and 0.7 to 0.9 ms in padded
    batches of eight utterances of like length (int8, three LSTM layers of 256, 200 utterances of LibriSpeech).
    """

    def __init__(self, model: Path, vocabulary_size: int) -> None:
        """Load ``model``.

        Args:
            model: a graph ``features`` (B, T, F), ``feature_lengths`` (B,) → ``log_probs`` (B, T', V + P),
                ``log_prob_lengths`` (B,).
            vocabulary_size: V, the number of labels of characters, the blank included; the rest are those of phones.

        Raises:
            BundleCorruptError: ONNX Runtime does not take the graph.
        """
        self._vocabulary_size = vocabulary_size
        onnxruntime = import_onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as fault:  # ONNX Runtime's own classes share no other base.
            raise BundleCorruptError(f"{model}: ONNX Runtime cannot load it: {str(fault).splitlines()[0]}") from fault

    def log_probs(self, features: Features) -> LogProbs:
        """Return the log-probabilities of one chunk's features."""
        feeds = {"features": features[np.newaxis], "feature_lengths": np.array([len(features)], np.int64)}
        log_probs, lengths = self._session.run(["log_probs", "log_prob_lengths"], feeds)
        return LogProbs.split(log_probs[0, : int(lengths[0])], self._vocabulary_size)
