"""The corpora as they are published: counts, hours, speakers and drops."""

from __future__ import annotations

from pathlib import Path

import pytest

from asr.corpora.prepare import prepare
from asr.data import read_manifest

pytestmark = pytest.mark.real_data

# corpus, folder, manifest → (utterances, hours, speakers, drops by reason)
PUBLISHED = [
    (
        "librispeech",
        "LibriSpeech",
        {
            "dev-clean": (2703, 5.39, 40, {}),
            "train-clean-5": (1519, 5.31, 28, {}),
            "train-clean-100": (329, 1.03, 3, {}),
        },
    ),
    ("librispeech", "LibriSpeech-original", {"dev-clean": (15, 0.04, 1, {})}),
    ("an4", "an4", {"train": (948, 0.71, 74, {}), "test": (117, 0.09, 9, {"no transcript": 13})}),
    ("fsdd", "free-spoken-digit-dataset", {"all": (3000, 0.37, 6, {})}),
    ("kaldi", "speechocean762", {"train": (2500, 2.88, 125, {})}),
    ("kaldi", "cmu_arctic", {"train": (4528, 3.96, 4, {})}),
    ("ljspeech", "LJSpeech-1.1", {"all": (385, 0.69, 1, {"missing audio": 12715})}),
    ("folder", "voice-kathleen", {"all": (1620, 1.37, 1, {})}),
    ("common_voice", "cv-corpus-6.1-2020-12-11/en", {"validated": (100, 0.13, 95, {})}),
]


@pytest.mark.parametrize(("corpus", "folder", "expected"), PUBLISHED, ids=[folder for _, folder, _ in PUBLISHED])
def test_counts(real_data, tmp_path, corpus, folder, expected):
    summary = prepare(corpus, real_data / folder, tmp_path)
    found = {m.path.stem: m for m in summary.manifests}
    assert found.keys() == expected.keys()
    for name, (utterances, hours, speakers, drops) in expected.items():
        assert (found[name].utterances, found[name].speakers) == (utterances, speakers)
        assert found[name].hours == pytest.approx(hours, abs=0.006)
        assert {reason: len(ids) for reason, ids in found[name].dropped.items()} == drops


def test_the_same_utterances_from_the_published_flac_and_from_opus(real_data, tmp_path):
    prepare("librispeech", real_data / "LibriSpeech-original", tmp_path / "flac")
    prepare("librispeech", real_data / "LibriSpeech/dev-clean/1272/128104", tmp_path / "opus")
    flac, opus = (read_manifest(tmp_path / kind / "dev-clean.jsonl") for kind in ("flac", "opus"))
    assert [(u.id, u.text, u.speaker) for u in flac] == [(u.id, u.text, u.speaker) for u in opus]
    assert [u.duration for u in flac] == pytest.approx([u.duration for u in opus], abs=0.001)


def test_an4_in_its_original_sphere_files(real_data, tmp_path):
    (tmp_path / "an4").mkdir()
    (tmp_path / "an4/etc").symlink_to(real_data / "an4/etc")
    (tmp_path / "an4/wav").symlink_to(real_data / "an4-original/wav")
    summary = prepare("an4", tmp_path / "an4", tmp_path / "out")
    sphere = [u for m in summary.manifests for u in read_manifest(m.path)]
    assert len(sphere) == 22 and {Path(u.audio_filepath).suffix for u in sphere} == {".sph"}
    prepare("an4", real_data / "an4", tmp_path / "flac")
    flac = {u.id: u for name in ("train", "test") for u in read_manifest(tmp_path / f"flac/{name}.jsonl")}
    assert [(u.text, u.speaker, u.duration) for u in sphere] == [
        (flac[u.id].text, flac[u.id].speaker, flac[u.id].duration) for u in sphere
    ]
