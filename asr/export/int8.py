"""An ONNX model with small integer weights, by ONNX Runtime's dynamic quantisation."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from asr.models import CELLS
from asr.onnx_runtime import import_onnxruntime

_RECURRENT = sorted({cell.onnx.operator for cell in CELLS.values() if cell.onnx.int8})
"""Operators of recurrent layers of which ONNX Runtime has a kernel for weights of 8 bits."""


def quantise(source: Path, target: Path) -> None:
    """Write ``source`` to ``target`` with the weights of its MatMul and LSTM nodes in int8, one scale a row.

    Weights take 7 of the 8 bits. Where a CPU lacks VNNI, the product of 8-bit inputs and weights adds pairs in 16 bits,
    which overflow: three random LSTM layers then differed from float32 by 13 in a log-probability, with 7 bits by 0.9.

    Convolutions stay float32: they hold few of the weights. So do the weights of RNN and GRU nodes, and of any cell
    of which ONNX Runtime has no quantised kernel (``Onnx.int8``); a model of such layers hardly shrinks.

    The inputs of a product are quantised as it is computed, by the range they have in their batch. Transcription
    computes each chunk of a recording as a batch of its own, so that its log-probabilities depend on nothing else.
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
    """Without the advice to optimise first, which ONNX Runtime gives through the root logger."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
