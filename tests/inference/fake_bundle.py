"""A bundle that needs no training: it spells tones.

The spectrum is eight bands of 1 kHz; a tone in band k is label k + 1 (a space, then A to G), silence is the blank.
``speak`` says a text in such tones. ``recurrent`` puts a random bidirectional LSTM in the place of the spelling,
whose every output depends on every frame: padding that leaks into a batch shows. ``directions=1`` has it read forward
only: no output depends on a later frame. ``phones`` has it hear phones beside characters: a to g as A to G, and the end
of a word as the space.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from asr.bundle import write_bundle
from asr.card import ModelCard
from asr.features.cmvn import Cmvn
from asr.features.front_end import FrontEnd
from asr.text import Phones, Vocabulary

CHARACTERS = " ABCDEFG"
PHONES = Phones(tuple("abcdefg"))
BANDS = len(CHARACTERS)
SUBSAMPLING = 2
TONE_S = 0.1
HOP_LENGTH = 160


def speak(text: str, rate: int = 16_000, lead_s: float = 0.2) -> np.ndarray:
    """Samples of ``text``: silence for ``lead_s``, then a tone and a silence of 0.1 s each a character."""
    time = np.arange(round(TONE_S * rate)) / rate
    tones = [0.5 * np.sin(2 * np.pi * (500 + 1000 * CHARACTERS.index(c)) * time) for c in text]
    gap = np.zeros(len(time))
    return np.concatenate([np.zeros(round(lead_s * rate)), *(p for t in tones for p in (t, gap))]).astype(np.float32)


def loud(samples: np.ndarray) -> np.ndarray:
    """Voice activity: 1 in the 10 ms around which something sounds, and between two of its tones, 0 else."""
    frames = np.pad(samples, HOP_LENGTH // 2, mode="constant")[: (1 + len(samples) // HOP_LENGTH) * HOP_LENGTH]
    frames = np.pad(frames, (0, -len(frames) % HOP_LENGTH)).reshape(-1, HOP_LENGTH)
    sounds = np.flatnonzero(np.abs(frames).max(axis=1) > 0.01)
    speech = np.zeros(len(frames), np.float32)
    speech[sounds] = 1
    for before, after in zip(sounds[:-1], sounds[1:], strict=True):
        if after - before <= round(TONE_S / 0.01) + 1:
            speech[before:after] = 1
    return speech[: 1 + len(samples) // HOP_LENGTH]


def write_fake_bundle(
    folder: Path, recurrent: bool = False, margin: int = 0, directions: int = 2, phones: bool = False
) -> Path:
    model = folder.parent / f"{folder.name}.onnx"
    proto = _recurrent(directions) if recurrent else _speller()
    onnx.save(_with_phones(proto) if phones else proto, model)
    window = np.pad(np.hanning(401)[:400], 56).astype(np.float32)
    mel = np.zeros((BANDS, 257), np.float32)
    for band in range(BANDS):
        mel[band, 32 * band : 32 * band + 32] = 1 / 32
    return write_bundle(
        folder,
        card=ModelCard(0.01 * SUBSAMPLING, name="tones"),
        front_end=FrontEnd(16_000, HOP_LENGTH, window, 1e-10, mel=mel, margin=margin),
        cmvn=Cmvn(np.zeros(BANDS, np.float32), np.full(BANDS, 10, np.float32)),
        vocabulary=Vocabulary(tuple(CHARACTERS)),
        normaliser="upper_letters",
        models={"float32": model},
        phones=PHONES if phones else None,
    )


def _with_phones(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same log-probabilities once more, now of phones: blank, end of a word, a to g."""
    *_, last = model.graph.node
    last.output[0] = "characters"
    model.graph.node.append(helper.make_node("Concat", ["characters", "characters"], ["log_probs"], axis=-1))
    model.graph.output[0].type.tensor_type.shape.dim[2].dim_value = 2 * (1 + BANDS)
    return model


def _speller() -> onnx.ModelProto:
    weights = np.concatenate([np.zeros((BANDS, 1)), 5 * np.eye(BANDS)], axis=1)
    bias = np.zeros(1 + BANDS)
    bias[0] = 5.0  # a band speaks from 10 dB on
    return _model([helper.make_node("Identity", ["fewer"], ["hidden"])], {}, weights, bias)


def _recurrent(directions: int, hidden: int = 8) -> onnx.ModelProto:
    random = np.random.default_rng(7)
    direction = "bidirectional" if directions == 2 else "forward"
    nodes = [
        helper.make_node("Transpose", ["fewer"], ["time_first"], perm=[1, 0, 2]),
        helper.make_node("Cast", ["log_prob_lengths"], ["lengths32"], to=TensorProto.INT32),
        helper.make_node(
            "LSTM", ["time_first", "W", "R", "", "lengths32"], ["states"], direction=direction, hidden_size=hidden
        ),
        helper.make_node("Transpose", ["states"], ["batch_first"], perm=[2, 0, 1, 3]),
        helper.make_node("Reshape", ["batch_first", "shape"], ["hidden"]),
    ]
    arrays = {
        "W": random.normal(0, 1, (directions, 4 * hidden, BANDS)),
        "R": random.normal(0, 1, (directions, 4 * hidden, hidden)),
        "shape": np.array([0, 0, directions * hidden]),
    }
    weights = random.normal(0, 3, (directions * hidden, 1 + BANDS))
    return _model(nodes, arrays, weights, random.normal(0, 1, 1 + BANDS))


def _model(nodes: list, arrays: dict[str, np.ndarray], weights: np.ndarray, bias: np.ndarray) -> onnx.ModelProto:
    """Every second frame, then ``nodes`` from ``fewer`` to ``hidden``, then an affine layer and log-softmax."""
    arrays = arrays | {"weights": weights, "bias": bias}
    arrays |= {"zero": np.array([0]), "end": np.array([2**31]), "axis": np.array([1]), "step": np.array([SUBSAMPLING])}
    arrays |= {"up": np.array(SUBSAMPLING - 1), "by": np.array(SUBSAMPLING)}
    graph = helper.make_graph(
        [
            helper.make_node("Add", ["feature_lengths", "up"], ["rounded"]),
            helper.make_node("Div", ["rounded", "by"], ["log_prob_lengths"]),
            helper.make_node("Slice", ["features", "zero", "end", "axis", "step"], ["fewer"]),
            *nodes,
            helper.make_node("MatMul", ["hidden", "weights"], ["scaled"]),
            helper.make_node("Add", ["scaled", "bias"], ["logits"]),
            helper.make_node("LogSoftmax", ["logits"], ["log_probs"], axis=-1),
        ],
        "tones",
        [
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["B", "T", BANDS]),
            helper.make_tensor_value_info("feature_lengths", TensorProto.INT64, ["B"]),
        ],
        [
            helper.make_tensor_value_info("log_probs", TensorProto.FLOAT, ["B", "S", 1 + BANDS]),
            helper.make_tensor_value_info("log_prob_lengths", TensorProto.INT64, ["B"]),
        ],
        [
            numpy_helper.from_array(a.astype(np.float32) if a.dtype.kind == "f" else a.astype(np.int64), name)
            for name, a in arrays.items()
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
