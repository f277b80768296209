"""Training of an acoustic model from manifests: examples, CTC, training loop, checkpoints. It imports TensorFlow."""

from asr.training.quiet import import_tensorflow

import_tensorflow()

from asr.data.augment import AugmentOptions  # noqa: E402
from asr.training.ctc import ctc_loss  # noqa: E402
from asr.training.options import DataOptions, OptimizerOptions, TrainerOptions  # noqa: E402
from asr.training.run import run_training  # noqa: E402
from asr.training.setup import load_trained  # noqa: E402
from asr.training.trainer import Trainer  # noqa: E402

__all__ = [
    "AugmentOptions",
    "DataOptions",
    "OptimizerOptions",
    "Trainer",
    "TrainerOptions",
    "ctc_loss",
    "load_trained",
    "run_training",
]
