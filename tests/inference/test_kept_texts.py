"""Float32 models of the bundles that ship say today what they said before the pipeline was rebuilt (commit 760182c).

Kept are hashes of the texts, not the texts, which are not ours. Float32 sums differ in their last bits from processor
to processor; none of these texts depends on them on the processors that were tried (AVX-512).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import onnx
import pytest

from asr.bundle import Bundle, load_bundle
from asr.corpora.prepare import prepare
from asr.data import Utterance, read_manifest
from asr.inference import Transcriber, Transcript

KEPT = json.loads(Path(__file__).with_name("kept_texts.json").read_text(encoding="utf-8"))


def as_float32(bundle: Bundle, folder: Path) -> Bundle:
    """The bundle with its int8 weights in float32, in which products have other rounding, and no batch matters."""
    from asr.export.onnx_graph import to_onnx
    from asr.export.reopen import reopen

    onnx.save(to_onnx(reopen(bundle.path).model), folder / "float32.onnx")
    return replace(bundle, path=folder, precisions=("float32",))


def utterances(name: str, real_data: Path, folder: Path) -> list[Utterance]:
    prepare("an4", real_data / "an4", folder)
    prepare("librispeech", real_data / "LibriSpeech" / "dev-clean", folder)
    read = [*read_manifest(folder / "test.jsonl"), *read_manifest(folder / "dev-clean.jsonl")]
    return [u for u in read if u.id in KEPT[name]]


@pytest.mark.real_data
@pytest.mark.parametrize("name", KEPT)
def test_the_texts_are_those_of_before(name: str, real_data: Path, tmp_path: Path) -> None:
    model = Transcriber(as_float32(load_bundle(name), tmp_path))
    chosen = utterances(name, real_data, tmp_path)
    assert len(chosen) == len(KEPT[name])
    hashes = {}
    for utterance, found in zip(chosen, model.transcribe_utterances(chosen), strict=True):
        assert isinstance(found, Transcript)
        hashes[utterance.id] = hashlib.sha256(found.text.encode()).hexdigest()[:16]
    assert hashes == KEPT[name]
