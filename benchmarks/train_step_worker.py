"""One system of train_step.py in a process of its own: reads ``step N`` and ``done``, answers in JSON.

On a GPU where the environment says ASR_BENCH_GPU=1, as train_step.py does with ``--gpu``; else on all cores.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

FEATURES, VOCABULARY, RATE = 40, 29, 1e-4
ON_GPU = os.environ.get("ASR_BENCH_GPU") == "1"
Step = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], float]


def main() -> None:
    """Serve until done."""
    system, case, path = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
    step, extra = SYSTEMS[system](case)
    base = _resident_mb()
    batches = np.load(path)
    arrays: tuple[np.ndarray, ...] = ()
    for line in sys.stdin:
        if line.startswith("done"):
            print(json.dumps({"peak_mb": _peak_mb(), "base_mb": base, **extra(arrays)}), flush=True)
            return
        number = int(line.split()[1])
        arrays = batch(batches["frames"][number], batches["labels"][number])
        began = time.perf_counter()
        step(*arrays)
        print(json.dumps({"seconds": time.perf_counter() - began}), flush=True)


def batch(frames: np.ndarray, characters: np.ndarray) -> tuple[np.ndarray, ...]:
    """Features (B, T, F), frames (B,), labels (B, U), characters (B,)."""
    rng = np.random.default_rng(0)
    features = rng.standard_normal((len(frames), frames.max(), FEATURES), np.float32)
    labels = rng.integers(1, VOCABULARY, (len(frames), characters.max())).astype(np.int32)
    return features, frames, labels, characters


def peak(_case: dict[str, Any]) -> tuple[Step, Callable[..., dict[str, float]]]:
    """A large product of matrices by numpy on all cores."""
    size = 4096
    matrix = np.random.default_rng(0).standard_normal((size, size), np.float32)
    return lambda *_: float((matrix @ matrix)[0, 0]), lambda _: {"operations": 2.0 * size**3}


def ours(case: dict[str, Any], precision: str = "float32") -> tuple[Step, Callable[..., dict[str, float]]]:
    """AcousticModel without convolution, normalisation and dropout, as the trainer steps it."""
    keras, tf = _tensorflow()
    from asr.models import AcousticModel
    from asr.training.ctc import ctc_loss

    keras.config.set_dtype_policy(precision)
    model = AcousticModel(
        FEATURES, VOCABULARY, cell=case["cell"], units=[case["units"]] * case["layers"], layer_norm=False
    )
    step = _tensorflow_step(model.trainable_variables, lambda x, n: model(x, lengths=n, training=True), ctc_loss)

    def ctc_share(arrays: tuple[np.ndarray, ...]) -> dict[str, float]:
        features, frames, labels, characters = arrays
        logits = tf.random.normal((*features.shape[:2], VOCABULARY))

        @tf.function
        def loss_and_gradient() -> Any:
            with tf.GradientTape() as tape:
                tape.watch(logits)
                loss = tf.reduce_mean(ctc_loss(logits, frames, labels, characters))
            return tape.gradient(loss, logits)

        def seconds(run: Callable[[], Any]) -> float:
            run()
            began = time.perf_counter()
            run()
            return time.perf_counter() - began

        return {"ctc_share": seconds(loss_and_gradient) / seconds(lambda: step(*arrays))}

    return step, ctc_share


def keras_layers(case: dict[str, Any], *, dense: bool) -> tuple[Step, Callable[..., dict[str, float]]]:
    """Keras' own bidirectional layers, which read the padding too."""
    keras, tf = _tensorflow()
    from tensorflow_ctc import by_tensorflow

    layer = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "rnn": keras.layers.SimpleRNN}[case["cell"]]
    stack = [keras.layers.Bidirectional(layer(case["units"], return_sequences=True)) for _ in range(case["layers"])]
    model = keras.Sequential([keras.Input((None, FEATURES)), *stack, keras.layers.Dense(VOCABULARY)])

    def dense_loss(logits: Any, frames: Any, labels: Any, characters: Any) -> Any:
        return tf.nn.ctc_loss(labels, logits, characters, frames, logits_time_major=False, blank_index=0)

    loss = dense_loss if dense else by_tensorflow
    return _tensorflow_step(model.trainable_variables, lambda x, _: model(x, training=True), loss), lambda _: {}


def torch(case: dict[str, Any]) -> tuple[Step, Callable[..., dict[str, float]]]:
    """PyTorch's layers on padded batches, which is faster here than packed ones, and reads the padding too."""
    import torch
    from torch.nn.functional import ctc_loss

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    device = torch.device("cuda" if ON_GPU else "cpu")
    layer = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}[case["cell"]]
    stack = layer(FEATURES, case["units"], case["layers"], batch_first=True, bidirectional=True).to(device)
    output = torch.nn.Linear(2 * case["units"], VOCABULARY, device=device)
    optimizer = torch.optim.AdamW([*stack.parameters(), *output.parameters()], RATE)

    def step(features: np.ndarray, frames: np.ndarray, labels: np.ndarray, characters: np.ndarray) -> float:
        optimizer.zero_grad()
        log_probs = output(stack(torch.from_numpy(features).to(device))[0]).log_softmax(-1).transpose(0, 1)
        targets = torch.from_numpy(labels).long(), torch.from_numpy(frames).long(), torch.from_numpy(characters).long()
        loss = ctc_loss(log_probs, *targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([*stack.parameters(), *output.parameters()], 1.0)
        optimizer.step()
        return float(loss)

    return step, lambda _: {}


def _tensorflow() -> tuple[Any, Any]:
    if not ON_GPU:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    import keras
    import tensorflow as tf

    return keras, tf


def _tensorflow_step(variables: list[Any], forward: Callable[..., Any], loss_of: Callable[..., Any]) -> Step:
    """One AdamW step, traced once for all shapes."""
    keras, tf = _tensorflow()
    optimizer = keras.optimizers.AdamW(RATE)
    optimizer.build(variables)
    lengths = tf.TensorSpec((None,), tf.int32)
    signature = [tf.TensorSpec((None, None, FEATURES)), lengths, tf.TensorSpec((None, None), tf.int32), lengths]

    @tf.function(input_signature=signature)
    def step(features: Any, frames: Any, labels: Any, characters: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(loss_of(forward(features, frames), frames, labels, characters))
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), 1.0)
        optimizer.apply(gradients, variables)
        return loss

    return lambda *arrays: float(step(*map(tf.constant, arrays)))


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _resident_mb() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


SYSTEMS: dict[str, Callable[[dict[str, Any]], tuple[Step, Callable[..., dict[str, float]]]]] = {
    "peak": peak,
    "ours": ours,
    "bfloat16": lambda case: ours(case, "mixed_bfloat16"),
    "keras_sparse": lambda case: keras_layers(case, dense=False),
    "keras_dense": lambda case: keras_layers(case, dense=True),
    "torch": torch,
}

if __name__ == "__main__":
    main()
