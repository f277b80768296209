"""What `asr recipe --download` fetches: the parts a recipe learns from, from a home on loopback, into manifests."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.corpora.archives import ARCHIVES
from asr.corpora.importer import Archive
from asr.data import read_manifest
from asr.errors import CorpusError, DownloadError
from asr.recipe.plan import read_plan
from asr.recipe.prepare_stage import prepare_stage


def chapter(part: str, speaker: str, texts: list[str]) -> dict[str, bytes]:
    """One chapter of tones in LibriSpeech's layout, as file name → bytes."""
    folder, files = f"LibriSpeech/{part}/{speaker}/9", {}
    for number in range(len(texts)):
        packed = io.BytesIO()
        soundfile.write(packed, 0.1 * np.sin(np.arange(8000) / 10), 16000, format="FLAC")
        files[f"{folder}/{speaker}-9-{number:04}.flac"] = packed.getvalue()
    lines = "".join(f"{speaker}-9-{number:04} {text}\n" for number, text in enumerate(texts))
    return files | {f"{folder}/{speaker}-9.trans.txt": lines.encode()}


@pytest.fixture
def published(home, tar, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Mini LibriSpeech and a part that no recipe of it asks for, at a home that publishes checksums."""
    monkeypatch.chdir(tmp_path)
    archives = []
    for part, speaker in [("train-clean-5", "10"), ("dev-clean-2", "20"), ("train-other-500", "30")]:
        content = home.files[f"{part}.tar.gz"] = tar(chapter(part, speaker, ["ONE", "TWO"]))
        checksum = f"md5:{hashlib.md5(content).hexdigest()}"
        archives.append(Archive(part, f"{home.url}/{part}.tar.gz", 1, f"LibriSpeech/{part}", checksum))
    monkeypatch.setitem(ARCHIVES, "librispeech", archives)
    return home


@pytest.mark.parametrize("data", [None, Path("elsewhere/LibriSpeech")])
def test_the_parts_of_a_recipe_are_fetched_and_no_others(published, data: Path | None) -> None:
    said: list[str] = []
    prepare_stage(read_plan("librispeech"), data, "upper_letters", download=True, say=said.append)
    assert sorted(path for path, _ in published.requested) == ["/dev-clean-2.tar.gz", "/train-clean-5.tar.gz"]
    manifests = {path.stem: read_manifest(path) for path in Path("manifests/librispeech").glob("*.jsonl")}
    assert {name: [u.text for u in part] for name, part in manifests.items()} == {
        "train-clean-5": ["ONE", "TWO"],
        "dev-clean-2": ["ONE", "TWO"],
    }
    assert said == ["prepare: 4 utterances in manifests/librispeech"]


def test_a_larger_recipe_of_the_same_corpus_finds_that_parts_are_lacking(published) -> None:
    prepare_stage(read_plan("librispeech"), None, "upper_letters", download=True, say=lambda line: None)
    said: list[str] = []
    prepare_stage(read_plan("librispeech"), None, "upper_letters", download=False, say=said.append)
    assert said == ["prepare: manifests/librispeech is there"]
    with pytest.raises(
        CorpusError, match="has no train-clean-100, dev-clean, .*which librispeech_100 needs; --download"
    ):
        prepare_stage(read_plan("librispeech_100"), None, "upper_letters", download=False, say=said.append)


def test_a_corpus_without_a_home_says_where_it_is_given_out(published, tmp_path: Path) -> None:
    plan = read_plan("librispeech_13h")
    only = [corpus for corpus in plan.prepare if corpus.corpus == "common_voice"]
    with pytest.raises(DownloadError, match="commonvoice.mozilla.org"):
        prepare_stage(
            replace(plan, prepare=only), tmp_path / "cv", "upper_letters", download=True, say=lambda line: None
        )
