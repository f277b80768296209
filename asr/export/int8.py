"""Quantisation of an ONNX model's weights to 8-bit integers, by ONNX Runtime's dynamic quantisation."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from asr.models import CELLS
from asr.onnx_runtime import import_onnxruntime

_RECURRENT = sorted({cell.onnx.operator for cell in CELLS.values() if cell.onnx.int8})
"""Operators of recurrent layers for which ONNX Runtime has a kernel with 8-bit weights."""


def quantise(source: Path, target: Path) -> None:
    """Write ``source`` to ``target`` with the weights of its MatMul and LSTM nodes in int8, one scale a row.

    Weights use 7 of the 8 bits. On a CPU without VNNI, the product of 8-bit inputs and weights adds pairs in 16 bits,
    which overflow: three random LSTM layers then differed from float32 by 13 in a log-probability, and by 0.9 with 7
    bits.

    Convolutions stay float32, because they hold few of the weights. The weights of RNN and GRU nodes, and of any cell
    for which ONNX Runtime has no quantised kernel (``Onnx.int8``), stay float32 as well, so a model with such layers
    hardly becomes smaller.

    The inputs of a product are quantised when it is computed, according to their range in the batch. Transcription
    computes each chunk of a recording as a batch of its own, so its log-probabilities depend on that chunk alone.
    """
    import_onnxruntime()
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with _quiet():
        quantize_dynamic(
            source,
            target,
            op_types_to_quantize=[*_RECURRENT, "MatMul"],
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence ONNX Runtime's advice to optimise the model first, which it gives through the root logger."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
