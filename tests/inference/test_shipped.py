"""The bundle that ships does what its card says."""

from __future__ import annotations

from pathlib import Path

import pytest

import asr
from asr.bundle import find_bundle, load_bundle
from asr.corpora.prepare import prepare
from asr.data import read_manifest
from asr.evaluation import evaluate
from asr.inference import texts

RECORDINGS = Path(__file__).parents[1] / "recordings"


def test_the_sample_of_the_readme() -> None:
    result = asr.load_model().transcribe(RECORDINGS / "sample.wav")
    assert result.text == (RECORDINGS / "sample.txt").read_text(encoding="utf-8").strip()
    assert 0 <= result.segments[0].start < result.segments[0].end <= result.duration


def test_it_is_small_and_its_card_is_whole() -> None:
    bundle = load_bundle()
    assert sum(p.stat().st_size for p in find_bundle().iterdir()) < 10_000_000
    for key in ("title", "good_for", "not_for", "data", "parameters", "trained", "models"):
        assert getattr(bundle.card, key) not in ("", None, "not stated", (), {})
    assert bundle.card.data[0].licence
    wer = bundle.card.models["int8"].wer
    assert wer and wer.interval


@pytest.mark.real_data
def test_real_recordings_give_the_error_rate_of_its_card(real_data: Path, tmp_path: Path) -> None:
    """Half a point either way: processors round differently."""
    prepare("an4", real_data / "an4", tmp_path)
    test = read_manifest(tmp_path / "test.jsonl")
    model = asr.load_model()
    found = evaluate(test, list(texts(model.transcribe_utterances(test)))).normalised.words.errors
    assert found.reference_length == 699
    scored = model.bundle.card.scored
    assert scored and scored.wer and found.rate == pytest.approx(scored.wer.rate, abs=0.005)


@pytest.mark.real_data
def test_real_recordings_as_published_give_the_right_words(real_data: Path) -> None:
    """NIST SPHERE files, untouched."""
    model = asr.load_model()
    folder = real_data / "an4-original" / "wav"
    heard = {p.stem: model.transcribe(p).text for p in sorted(folder.rglob("*.sph"))}
    spoken = dict(_transcripts(real_data / "an4" / "etc"))
    known = [name for name in heard if name in spoken]
    assert len(known) >= 10
    assert sum(heard[name] == spoken[name] for name in known) / len(known) >= 0.7


def _transcripts(folder: Path):
    for path in folder.glob("an4_*.transcription"):
        for line in filter(str.strip, path.read_text(encoding="utf-8").splitlines()):
            text, name = line.strip().removesuffix(")").rsplit("(", 1)
            yield name, " ".join(text.replace("<s>", "").replace("</s>", "").split())
