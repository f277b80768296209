"""Each utterance that cannot be trained on is named, with the reason."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest

from asr.data import Utterance
from asr.errors import AudioEmptyError, AudioError, PreflightError
from asr.text import Lexicon, Vocabulary
from asr.training.preflight import Fault, find_faults, loss_summary, lost_texts, refuse
from asr.training.targets import Targets

VOCABULARY = Vocabulary(tuple(" ABL"))


def fault(text: str, features: int | AudioError = 100, lexicon: Lexicon | None = None) -> str | None:
    """What is found wrong with ``text`` in so many frames, three of them to one of logits."""
    found = features if isinstance(features, AudioError) else np.zeros((features, 2), np.float32)
    targets = Targets(VOCABULARY, lexicon.phones if lexicon else None, lexicon)
    faults = find_faults([Utterance("u1", "u1.wav", 1, text, "s")], [found], targets, lambda n: n // 3)
    return str(faults[0]) if faults else None


def test_a_good_utterance_has_no_fault() -> None:
    assert fault("ALL A") is None


def test_a_recording_that_cannot_be_read_keeps_its_code() -> None:
    assert fault("A", AudioEmptyError("u1.wav: no samples")) == "u1: [audio-empty] u1.wav: no samples"


def test_an_empty_transcript() -> None:
    assert fault("") == "u1: the transcript is empty"


def test_characters_outside_the_vocabulary_are_named() -> None:
    assert fault("AXBÜ") == "u1: the vocabulary lacks 'X' 'Ü'"


def test_words_that_the_lexicon_lacks_are_named() -> None:
    lexicon = Lexicon({"A": (("a",),), "ALL": (("o", "l"),)})
    assert fault("ALL A", lexicon=lexicon) is None
    lacking = fault("BALL A LAB", lexicon=lexicon)
    assert lacking == "u1: the lexicon lacks 'BALL' 'LAB'; asr lexicon makes one of all words"


def test_phones_and_ends_of_words_need_frames_too() -> None:
    """L has one letter and, as its name is said, three phones, and its end needs a frame as well."""
    lexicon = Lexicon({"L": (("e", "l", "l"),)})
    assert fault("L", 15, lexicon) is None
    assert fault("L", 14, lexicon) == "u1: 4 frames cannot spell 4 labels (needs 5)"


def test_as_many_frames_as_needed_pass_and_one_fewer_does_not() -> None:
    """Three letters, two of them equal neighbours with a blank between: four frames of logits, twelve of features."""
    assert fault("ALL", 12) is None
    assert fault("ALL", 11) == "u1: 3 frames cannot spell 3 labels (needs 4)"


def test_faults_are_found_by_place_not_by_id() -> None:
    """Two manifests may use one id; only the bad one of the two is at fault."""
    twins = [Utterance("same", "x.wav", 1, text, "s") for text in ("A", "", "B")]
    features = [np.zeros((9, 2), np.float32)] * 3
    assert find_faults(twins, features, Targets(VOCABULARY), lambda n: n) == {
        1: Fault("same", "the transcript is empty")
    }


@pytest.mark.parametrize("faults", [0, 1])
def test_one_fault_is_refused_and_none_is_not(faults: int) -> None:
    with pytest.raises(PreflightError, match="^1 of 5 utterances") if faults else nullcontext():
        refuse([Fault("u1", "…")] * faults, 5)


def test_twenty_are_shown_and_the_rest_counted() -> None:
    with pytest.raises(PreflightError) as error:
        refuse([Fault(f"u{i}", "the transcript is empty") for i in range(23)], 40)
    lines = str(error.value).splitlines()
    assert lines[0] == "23 of 40 utterances cannot be trained on:"
    assert lines[1:21] == [f"  u{i}: the transcript is empty" for i in range(20)]
    assert lines[21] == "  … and 3 more"
    assert "data.faulty=drop" in lines[22]


def test_twenty_faults_are_all_shown() -> None:
    with pytest.raises(PreflightError) as error:
        refuse([Fault(f"u{i}", "…") for i in range(20)], 40)
    assert "more" not in str(error.value)


WRITTEN = [Utterance(f"u{i}", "u.wav", 1, text, "s") for i, text in enumerate(["Room 101", "fine", "да, 7 €", "café"])]


def test_what_the_normaliser_loses_is_named_utterance_by_utterance() -> None:
    assert {place: str(fault) for place, fault in lost_texts(WRITTEN, "upper_letters").items()} == {
        0: "u0: upper_letters loses '1' '0'",
        2: "u2: upper_letters loses 'д' 'а' '7' '€'",
    }
    assert lost_texts(WRITTEN, "verbatim") == {}


def test_losses_are_counted_by_kind_and_refused_with_what_to_do() -> None:
    losses = loss_summary(WRITTEN, "upper_letters")
    assert losses == [
        "upper_letters loses digits: 4 (1 0 7) in 2 texts: u0, u2",
        "upper_letters loses Cyrillic letters: 2 (д а) in 1 text: u2",
        "upper_letters loses symbols: 1 (€) in 1 text: u2",
    ]
    with pytest.raises(PreflightError) as error:
        refuse(lost_texts(WRITTEN, "upper_letters").values(), len(WRITTEN), losses)
    first, *listed, advice = str(error.value).splitlines()
    assert first == "2 of 4 utterances cannot be trained on:"
    assert [line.strip() for line in listed[:3]] == losses
    assert [line.split(":")[0].strip() for line in listed[3:]] == ["u0", "u2"]
    assert all(way in advice for way in ("data.normaliser", "data.faulty=drop", "data.allow_loss=true"))
