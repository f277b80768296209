"""Training of an acoustic model from manifests: examples, CTC, training loop, checkpoints. It imports TensorFlow."""

from asr.training.quiet import import_tensorflow

import_tensorflow()

from asr.training.ctc import ctc_loss  # noqa: E402
from asr.training.run import run_training  # noqa: E402
from asr.training.setup import load_trained  # noqa: E402
from asr.training.trainer import Trainer  # noqa: E402

__all__ = [
    "Trainer",
    "ctc_loss",
    "load_trained",
    "run_training",
]
