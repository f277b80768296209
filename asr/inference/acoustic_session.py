"""Run a bundle's ONNX graph on one chunk at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asr.arrays import Features, LogProbs
from asr.errors import BundleCorruptError
from asr.onnx_file import read_ports
from asr.onnx_runtime import import_onnxruntime

_ROUNDING = 1e-3
"""How far above 0, the logarithm of 1, a log-probability may lie."""


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
        options.add_session_config_entry("session.load_model_format", "ONNX")
        self._model = model
        try:
            read_ports(content := model.read_bytes())
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as fault:  # ONNX Runtime's own classes share no other base.
            raise BundleCorruptError(f"{model}: ONNX Runtime cannot load it: {_line(fault)}") from fault

    def log_probs(self, features: Features) -> LogProbs:
        """Return the log-probabilities of one chunk's features.

        Raises:
            BundleCorruptError: ONNX Runtime cannot compute them, or they are not numbers of the shape announced.
        """
        feeds = {"features": features[np.newaxis], "feature_lengths": np.array([len(features)], np.int64)}
        try:
            log_probs, lengths = self._session.run(["log_probs", "log_prob_lengths"], feeds)
        except Exception as fault:  # as above
            raise BundleCorruptError(f"{self._model}: ONNX Runtime cannot run it: {_line(fault)}") from fault
        width = self._session.get_outputs()[0].shape[-1]
        if (
            (log_probs.dtype, lengths.dtype, lengths.shape) != (np.float32, np.int64, (1,))
            or log_probs.ndim != 3
            or log_probs.shape[::2] != (1, width)
            or not 0 <= lengths[0] <= log_probs.shape[1]
        ):
            raise BundleCorruptError(
                f"{self._model}: log_probs {log_probs.shape} and log_prob_lengths {lengths} of {len(features)} frames; "
                f"(1, frames, {width}) is announced"
            )
        alone = log_probs[0, : int(lengths[0])]
        if not (alone <= _ROUNDING).all():
            raise BundleCorruptError(f"{self._model}: some of its outputs are not logarithms of probabilities")
        return LogProbs.split(alone, self._vocabulary_size)


def _line(fault: Exception) -> str:
    """Return the first line of one of ONNX Runtime's messages."""
    return (str(fault).splitlines() or [repr(fault)])[0]
