"""The exporter, which writes a trained run as a bundle of ONNX models, compares them, scores them and adds a card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from asr.bundle import Bundle, load_bundle, write_bundle
from asr.card import CardText, Difference, ModelCard
from asr.data import Utterance, read_manifest
from asr.errors import AudioError, BundleError, ExportError
from asr.evaluation import Evaluation, evaluate
from asr.export.card import ExportedModel, frame_s, make_card
from asr.export.int8 import quantise
from asr.export.onnx_graph import to_onnx
from asr.export.parity import check_parity, difference
from asr.inference import Transcriber
from asr.inference import texts as to_texts
from asr.options import DataOptions
from asr.run_record import RunRecord, read_setup
from asr.staging import temporary_folder
from asr.training.dataset import Example, compute_features
from asr.training.evaluate import log_probs
from asr.training.setup import Setup, load_trained
from asr.typed import from_tree

PRECISIONS = ("float32", "int8")

_COMPARED = 24
"""The number of recordings on which the exported model is compared with the trained one."""


@dataclass(frozen=True)
class Export:
    """The result of an export.

    Attributes:
        path: the folder of the bundle.
        models: the ONNX files in the bundle, with their sizes, differences and scores.
        began_with: the model that the run began with, by name or folder, if it decodes with a language model. The
            bundle does not have it: its weights are to be tuned for this network first.
    """

    path: Path
    models: tuple[ExportedModel, ...]
    began_with: str | None = None


def export_bundle(
    run_folder: str | Path,
    out: str | Path,
    *,
    name: str | None = None,
    card: Mapping[str, Any] | None = None,
    evaluate_on: str | Path | None = None,
    precisions: Sequence[str] = PRECISIONS,
    threads: int = 0,
) -> Export:
    """Write the trained model of ``run_folder`` as a bundle to ``out``, and replace any bundle that is there.

    Args:
        run_folder: the folder of a training run, finished or not.
        out: the folder of the bundle.
        name: the name of the bundle; the run folder's name when None.
        card: ``title``, ``good_for``, ``not_for``, ``language`` and ``data`` (see `asr.card.CardText`); when None, the
            card in the run's recipe.
        evaluate_on: a manifest on which every model is compared and scored. Without it, the models are compared on the
            run's own dev or training utterances, and not scored.
        precisions: the precisions of the models: ``float32``, ``int8``.
        threads: the number of threads for one matrix product when scoring; 0 means one for each core.

    Raises:
        ParityError: the float32 model's log-probabilities differ from the trained model's.
        ExportError: there are no recordings for the comparison, or there is no such precision.
        CheckpointError, ManifestError, AudioError, ConfigError: the run, the manifest, a recording or the card cannot
            be read.
    """
    run_folder, manifest = Path(run_folder), Path(evaluate_on) if evaluate_on else None
    if not precisions or not set(precisions) <= set(PRECISIONS):
        raise ExportError(f"precisions are {' and '.join(PRECISIONS)}, got {list(precisions)}")
    setup = load_trained(run_folder)
    record = read_setup(run_folder).record
    text = CardText.from_mapping(card) if card else record.card or CardText.not_stated()
    utterances = read_manifest(manifest) if manifest else None
    examples = _examples(setup, _varied(utterances or _own_utterances(record)))
    with temporary_folder(Path(out)) as work:
        files = {p: work / f"{p}.onnx" for p in precisions}
        distances = _convert(setup, files, work, examples)
        models = tuple(
            ExportedModel(
                precision,
                file.stat().st_size,
                distances[precision],
                _score(setup, precision, file, utterances, threads) if utterances else None,
            )
            for precision, file in files.items()
        )
        name = name or run_folder.resolve().name
        content = make_card(run_folder, setup, record, name=name, text=text, models=models, evaluated_on=manifest)
        path = write_bundle(
            out,
            card=content,
            front_end=setup.front_end,
            cmvn=setup.cmvn,
            vocabulary=setup.vocabulary,
            normaliser=setup.normaliser,
            models=files,
            phones=setup.phones,
        )
    return Export(path, models, _began_with_language_model(record.config))


def _began_with_language_model(config: Mapping[str, Any]) -> str | None:
    """Return the bundle that the run began with, or that of the run it began with, where it has a language model."""
    start = config.get("init_from")
    for folder in (start, f"{start}/bundle") if start else ():
        try:
            if load_bundle(folder).language_model is not None:
                return str(folder)
        except BundleError:
            continue
    return None


def _convert(setup: Setup, files: Mapping[str, Path], work: Path, examples: Sequence[Example]) -> dict[str, Difference]:
    """Write ``files``. The float32 graph is always made, and it must agree with the trained model."""
    trained = dict(log_probs(setup.model, examples))
    float32 = work / "float32.onnx"
    onnx.save(to_onnx(setup.model), float32)
    distances = {"float32": check_parity(trained, float32, examples)}
    if "int8" in files:
        quantise(float32, files["int8"])
        distances["int8"] = difference(trained, files["int8"], examples)
    return distances


def _score(setup: Setup, precision: str, file: Path, utterances: Sequence[Utterance], threads: int) -> Evaluation:
    """Return the error rates of ``file`` on ``utterances``, computed by the code that users of the bundle run."""
    bundle = Bundle(
        path=file.parent,
        card=ModelCard(frame_s(setup)),
        front_end=setup.front_end,
        cmvn=setup.cmvn,
        vocabulary=setup.vocabulary,
        normaliser=setup.normaliser,
        precisions=(precision,),
        frame_s=frame_s(setup),
    )
    texts = to_texts(Transcriber(bundle, threads=threads).transcribe_utterances(utterances))
    return evaluate(utterances, list(texts), setup.normaliser)


def _own_utterances(record: RunRecord) -> list[Utterance]:
    """Return the utterances of the run's dev manifest, or of its training manifests if it has none."""
    data = from_tree(DataOptions, record.config["data"], "data")
    manifests = [Path(m) for m in ([data.dev] if data.dev else data.train)]
    if not manifests or not all(m.is_file() for m in manifests):
        named = ", ".join(map(str, manifests)) or "none are recorded"
        raise ExportError(
            f"no recordings to compare the exported model with the trained one on: of the run's manifests ({named}) "
            "not all are here; name a manifest with --evaluate, or go to the folder the run was started in"
        )
    return [u for m in manifests for u in read_manifest(m)]


def _varied(utterances: Sequence[Utterance]) -> list[Utterance]:
    """Return utterances of all lengths, in an order that puts short ones beside long ones."""
    by_duration = sorted(utterances, key=lambda u: (u.duration, u.id))
    places = np.linspace(0, len(by_duration) - 1, min(_COMPARED, len(by_duration))).round().astype(int)
    chosen = [by_duration[i] for i in places]
    return [chosen[i] for i in np.random.default_rng(0).permutation(len(chosen))]


def _examples(setup: Setup, utterances: Sequence[Utterance]) -> list[Example]:
    examples = []
    for utterance, features in zip(utterances, compute_features(utterances, setup.front_end), strict=True):
        if isinstance(features, AudioError):
            raise features
        examples.append(Example(utterance, setup.cmvn(features), np.zeros(0, np.int32)))
    return examples
