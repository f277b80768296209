"""A trained model, of a run folder or of a bundle, to continue training from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx

from asr.bundle import Bundle, load_bundle
from asr.errors import ConfigError, ExportError
from asr.export.onnx_weights import read_weights
from asr.models import AcousticModel
from asr.options import ModelOptions
from asr.training.setup import Setup, load_trained
from asr.typed import from_tree


def reopen(name_or_folder: str | Path) -> Setup:
    """Open the model of a run folder, or of a bundle by its folder or by the name of a shipped one.

    A bundle's float32 weights are read if it has them, else its int8 weights. These differ from the float32 ones by
    half a quantisation step at most, which is close enough for further training.

    Raises:
        CheckpointError: the run folder has no weights yet.
        BundleNotFoundError, BundleCorruptError: the folder is neither a run folder nor a complete bundle.
        ExportError: the bundle's card does not hold the options of its model.
    """
    if (Path(name_or_folder) / "setup.json").is_file():
        return load_trained(name_or_folder)
    bundle = load_bundle(name_or_folder)
    model = _model(bundle)
    graph = onnx.load(bundle.model_path(bundle.precisions[-1])).graph
    read_weights(graph, model)
    return Setup(model, bundle.front_end, bundle.cmvn, bundle.vocabulary, bundle.normaliser, bundle.card, bundle.phones)


def _model(bundle: Bundle) -> AcousticModel:
    try:
        options: dict[str, Any] = bundle.card.config["model"]
        from_tree(ModelOptions, options, "config.model")
    except KeyError as missing:
        raise ExportError(f"{bundle.path}/card.json has no {missing}, so its weights cannot be trained on") from missing
    except ConfigError as fault:
        raise ExportError(f"{bundle.path}/card.json: {fault}; its weights cannot be trained on") from fault
    phones = len(bundle.phones or ())
    return AcousticModel(bundle.front_end.num_features, len(bundle.vocabulary), phones=phones, **options)
