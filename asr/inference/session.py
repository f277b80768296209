"""Run a bundle's ONNX graph on a batch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from asr.errors import BundleCorruptError
from asr.onnx_runtime import import_onnxruntime


class AcousticSession:
    """An ONNX Runtime session: features of several utterances in, log-probabilities of each out."""

    def __init__(self, model: Path, threads: int = 0) -> None:
        """Load ``model``.

        Args:
            model: a graph ``features`` (B, T, F), ``feature_lengths`` (B,) → ``log_probs`` (B, T', V + P),
                ``log_prob_lengths`` (B,).
            threads: of one matrix product; 0 is one a core.

        Raises:
            BundleCorruptError: ONNX Runtime does not take the graph.
        """
        onnxruntime = import_onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # Threads that wait in a loop take the core from those that read the next recordings.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as fault:  # ONNX Runtime's own classes share no other base.
            raise BundleCorruptError(f"{model}: ONNX Runtime cannot load it: {str(fault).splitlines()[0]}") from fault

    def log_probs(self, features: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Features [(T_i, F)] → natural log-probabilities [(T'_i, V + P)], computed as one padded batch."""
        lengths = np.array([len(f) for f in features], np.int64)
        batch = np.zeros((len(features), lengths.max(), features[0].shape[1]), np.float32)
        for row, f in zip(batch, features, strict=True):
            row[: len(f)] = f
        outputs = self._session.run(["log_probs", "log_prob_lengths"], {"features": batch, "feature_lengths": lengths})
        return [row[:length] for row, length in zip(*outputs, strict=True)]
