"""Transcripts by a run's folder."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from asr.data import read_manifest
from asr.errors import AudioNotFoundError, CheckpointError
from asr.run_record import RunRecord
from asr.text import Phones
from asr.training.dataset import Example, compute_features
from asr.training.evaluate import log_probs, score, transcribe_with_checkpoint
from asr.training.setup import load_trained


def test_each_utterance_gets_its_text_in_order(trained: Path, corpus: Path) -> None:
    utterances = read_manifest(corpus / "dev.jsonl")[::-1]
    assert transcribe_with_checkpoint(trained, utterances) == [u.text for u in utterances]


def test_what_cannot_be_read_is_its_error_and_the_rest_goes_on(trained: Path, corpus: Path) -> None:
    first, second, *_ = read_manifest(corpus / "dev.jsonl")
    texts = transcribe_with_checkpoint(trained, [replace(first, audio_filepath="/gone.wav"), second])
    assert isinstance(texts[0], AudioNotFoundError)
    assert texts[1] == second.text


def test_a_network_that_hears_phones_writes_as_before_and_has_heard_the_words(hears_phones: Path, corpus: Path) -> None:
    """Its best path of phones says each word, and where it ends."""
    utterances, setup = read_manifest(corpus / "dev.jsonl"), load_trained(hears_phones)
    assert transcribe_with_checkpoint(hears_phones, utterances) == [u.text for u in utterances]
    assert json.loads((hears_phones / "final.json").read_text())["dev"]["wer"] == 0
    assert setup.phones == Phones(("a", "b", "c"))
    features = compute_features(utterances, setup.front_end)
    examples = [Example(u, setup.cmvn(f), np.zeros(0)) for u, f in zip(utterances, features, strict=True)]
    for index, found in log_probs(setup.model, examples):
        assert found.phones is not None
        path = found.phones.argmax(axis=1).tolist()
        said = [tuple(word.lower()) for word in utterances[index].text.split()]
        assert [label for label, _ in groupby(path) if label] == setup.phones.encode(said).tolist()


def test_of_no_utterances_there_are_no_texts(trained: Path) -> None:
    assert transcribe_with_checkpoint(trained, []) == []


def test_a_run_under_way_transcribes_by_its_newest_checkpoint(trained: Path, corpus: Path, tmp_path: Path) -> None:
    folder = tmp_path / "under_way"
    shutil.copytree(trained, folder)
    (folder / "final.npz").unlink()
    utterances = read_manifest(corpus / "dev.jsonl")
    assert transcribe_with_checkpoint(folder, utterances) == [u.text for u in utterances]


def test_a_run_without_a_checkpoint_says_so(trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "begun"
    shutil.copytree(trained, folder, ignore=shutil.ignore_patterns("final.*", "checkpoints"))
    with pytest.raises(CheckpointError, match="begun has no checkpoint yet; train first"):
        load_trained(folder)


def test_a_folder_that_is_no_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is no run folder"):
        load_trained(tmp_path)


def test_weights_of_another_model_are_refused(trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    shutil.copytree(trained, folder)
    setup = json.loads((folder / "setup.json").read_text())
    setup["model"]["units"] = [4]
    (folder / "setup.json").write_text(json.dumps(setup))
    with pytest.raises(CheckpointError, match="of another model"):
        load_trained(folder)


def test_what_was_saved_beside_the_weights_comes_back(trained: Path, corpus: Path) -> None:
    setup = load_trained(trained)
    assert setup.vocabulary.characters == (" ", "A", "B", "C")
    assert setup.front_end.num_features == setup.model.options["num_features"] == 12
    assert isinstance(setup.record, RunRecord) and setup.record.data.train.utterances == 20
    assert setup.record.seed == 0 and setup.record.parameters == setup.model.count_params()


def test_fewer_dev_utterances_than_pairs_are_shown_once(trained: Path, corpus: Path) -> None:
    setup = load_trained(trained)
    utterances = read_manifest(corpus / "dev.jsonl")[:2]
    features = compute_features(utterances, setup.front_end)
    examples = [Example(u, setup.cmvn(f), np.zeros(0)) for u, f in zip(utterances, features, strict=True)]
    assert score(setup.model, examples, setup.vocabulary).pairs == (("AB", "AB"), ("BA C", "BA C"))
