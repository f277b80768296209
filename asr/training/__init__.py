"""Manifests → a trained model: examples, CTC, the training loop, checkpoints. Imports TensorFlow."""

from asr.training.ctc import ctc_loss
from asr.training.run import AugmentOptions, DataOptions, run_training
from asr.training.setup import load_trained
from asr.training.trainer import OptimizerOptions, Trainer, TrainerOptions

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
