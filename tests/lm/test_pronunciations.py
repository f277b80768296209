"""The words of a model by their sound: spelled as a lexicon says, those that sound alike told apart."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from asr.errors import LanguageModelError
from asr.lm import NgramModel, Pronunciations, train_ngram
from asr.text import Lexicon, Phones
from asr.text.lexicon import BOUNDARY

PHONES = Phones(("d", "r", "e", "u"))
LEXICON = Lexicon(
    {
        "RED": (("r", "e", "d"),),
        "READ": (("r", "e", "d"), ("r", "u", "d")),
        "RUDE": (("r", "u", "d"),),
        "REDUE": (("r", "e", "d", "u"),),
        "DEER": (("d", "e", "r"),),
    }
)
SENTENCES = ["RED RED RED READ", "READ RUDE", "RED REDUE", "HE READ"]
"""RED is commoner than READ, and READ than RUDE; nothing says how HE is said, and DEER is not among them."""


@pytest.fixture(scope="module")
def model() -> NgramModel:
    return train_ngram(SENTENCES, order=1)


@pytest.fixture(scope="module")
def spoken(model: NgramModel) -> Pronunciations:
    return Pronunciations.of(model, LEXICON, PHONES)


def spellings(spoken: Pronunciations, model: NgramModel) -> dict[tuple[int, ...], str]:
    """Labels → word, cut by hand after each that ends a word."""
    found: dict[tuple[int, ...], str] = {}
    words, labels = iter(spoken.words.tolist()), []
    for label in spoken.labels.tolist():
        labels.append(label)
        if label == BOUNDARY or label >= spoken.num_phones:
            found[tuple(labels)], labels = model.words[next(words) - 1], []
    assert not labels and next(words, None) is None
    return found


def sound(word: str, end: int, way: int = 0) -> tuple[int, ...]:
    """Labels of a word that ends with ``end``."""
    return (*PHONES.encode([LEXICON.pronunciations[word][way]])[:-1].tolist(), end)


def test_words_that_sound_alike_end_with_labels_of_their_own_the_commonest_with_the_networks(
    spoken: Pronunciations, model: NgramModel
) -> None:
    beyond = len(PHONES)
    assert spellings(spoken, model) == {
        sound("RED", BOUNDARY): "RED",
        sound("READ", beyond): "READ",
        sound("READ", BOUNDARY, way=1): "READ",
        sound("RUDE", beyond): "RUDE",
        sound("REDUE", BOUNDARY): "REDUE",
    }
    assert (spoken.num_phones, spoken.num_labels) == (6, 7)


def test_labels_are_read_as_the_words_that_they_spell(spoken: Pronunciations, model: NgramModel) -> None:
    said = [*sound("RED", 6), *sound("RED", 1), *sound("REDUE", 1), *sound("RUDE", 1), *sound("RUDE", 6)]
    ids = model.word_ids(["READ", "RED", "REDUE", "READ", "RUDE"]).tolist()
    assert [words.tolist() for words in spoken.read([said, [], said])] == [ids, [], ids]
    assert spoken.read([]) == []


def test_where_none_sound_alike_the_labels_are_the_networks(model: NgramModel) -> None:
    alone = Pronunciations.of(model, Lexicon({"RED": (("r", "e", "d"),)}), PHONES)
    assert (alone.num_labels, alone.labels.tolist()) == (len(PHONES), [3, 4, 2, 1])
    assert alone.ends_word(np.array([0, 1, 2, 5, 6])).tolist() == [False, True, False, False, True]


@pytest.mark.parametrize("alike", [7, 8, 9, 12])
def test_of_many_alike_the_commonest_eight_are_kept(alike: int) -> None:
    """The first of the alphabet are the rarest."""
    names = [f"W{chr(65 + i)}" for i in range(alike)]
    model = train_ngram([" ".join(name for i, name in enumerate(names) for _ in range(i + 1))], order=1)
    spoken = Pronunciations.of(model, Lexicon(dict.fromkeys(names, (("d", "e"),))), PHONES)
    found = spellings(spoken, model)
    ends = [BOUNDARY, *range(len(PHONES), len(PHONES) + 7)]
    wanted = {(2, 4, end): name for end, name in zip(ends, reversed(names), strict=False)}
    assert found == wanted and len(found) == min(alike, 8)
    assert spoken.num_labels == len(PHONES) + min(alike, 8) - 1


def test_what_is_saved_is_opened(spoken: Pronunciations, model: NgramModel, tmp_path: Path) -> None:
    spoken.save(tmp_path / "p.npz")
    again = Pronunciations.open(tmp_path / "p.npz")
    assert spellings(again, model) == spellings(spoken, model)
    assert (again.num_phones, again.num_labels) == (spoken.num_phones, spoken.num_labels)
    assert (again.labels.dtype, again.words.dtype) == (np.uint8, np.int32)
    assert [path.name for path in tmp_path.iterdir()] == ["p.npz"]


@pytest.mark.parametrize("fault", ["missing", "empty", "text", "short", "changed", "other arrays"])
def test_a_file_that_is_none_is_refused_by_name(fault: str, spoken: Pronunciations, tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    spoken.save(path)
    whole = path.read_bytes()
    at = whole.index(b"labels.npy") + 60
    damaged = {
        "empty": b"",
        "text": b"RED r e d\n",
        "short": whole[: len(whole) // 2],
        "changed": whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :],
    }
    path.unlink()
    if fault in damaged:
        path.write_bytes(damaged[fault])
    if fault == "other arrays":
        np.savez(path, labels=spoken.labels)
    with pytest.raises(LanguageModelError, match=r"p\.npz: no pronunciations can be read there"):
        Pronunciations.open(path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"labels": np.array([2, 1 << 40], np.int64)},
        {"labels": np.array([3, 1, 2, 1], np.uint8), "words": np.array([1, 2], np.int32)},
        {"labels": np.array([2, 3], np.uint8), "words": np.array([1], np.int32)},
        {"words": np.array([1], np.int32)},
        {"words": np.array([[1]], np.int32)},
        {"num_phones": np.array(1 << 40)},
        {"num_phones": np.array(-1)},
        {"words": np.array([b"a"])},
    ],
)
def test_what_does_not_belong_together_is_refused(
    wrong: dict[str, np.ndarray], spoken: Pronunciations, tmp_path: Path
) -> None:
    whole = {"labels": spoken.labels, "words": spoken.words, "num_phones": np.array(spoken.num_phones)}
    np.savez_compressed(tmp_path / "p.npz", allow_pickle=False, **{**whole, **wrong})
    with pytest.raises(LanguageModelError, match=r"p\.npz: no pronunciations can be read there"):
        Pronunciations.open(tmp_path / "p.npz")


def test_an_array_that_asks_for_more_than_its_bytes_is_refused_before_it_is_made(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "p.npz", "w") as file:
        head = io.BytesIO()
        np.lib.format.write_array_header_1_0(head, {"descr": "|u1", "fortran_order": False, "shape": (1 << 35,)})
        file.writestr("labels.npy", head.getvalue() + b"abc")
    with pytest.raises(LanguageModelError, match="does not fit its bytes"):
        Pronunciations.open(tmp_path / "p.npz")


def test_a_way_to_say_a_word_that_the_network_does_not_hear_is_left_out(model: NgramModel) -> None:
    heard = Pronunciations.of(model, LEXICON, Phones(("d", "r", "e")))
    assert sorted(spellings(heard, model).values()) == ["READ", "RED"], "RUDE and REDUE have a u, READ another way"


@pytest.mark.parametrize("lexicon", [{"red": (("r", "e", "d"),)}, {}], ids=["other case", "empty"])
def test_a_lexicon_that_says_no_word_of_the_model_is_refused(model: NgramModel, lexicon: dict[str, tuple]) -> None:
    with pytest.raises(
        LanguageModelError, match=r"no word of the language model .* \(d r e u\); are words in the same"
    ):
        Pronunciations.of(model, Lexicon(lexicon), PHONES)


def test_phones_of_another_set_are_refused(model: NgramModel) -> None:
    with pytest.raises(LanguageModelError, match=r"by the network's phones \(R EH D\).* phones of the same set"):
        Pronunciations.of(model, LEXICON, Phones(("R", "EH", "D")))
