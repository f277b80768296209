"""What a network learns to say of a text."""

from __future__ import annotations

import numpy as np
import pytest

from asr.errors import VocabularyError
from asr.text import Lexicon, Phones, Vocabulary
from asr.training.targets import Targets

VOCABULARY = Vocabulary(tuple(" EGO"))
LEXICON = Lexicon({"GO": (("g", "ou"), ("g",)), "EGO": (("i", "g", "ou"),), "EGG": (("e", "g", "g"),)})
BOTH = Targets(VOCABULARY, LEXICON.phones, LEXICON)


def test_a_text_is_its_characters_and_each_words_usual_phones_with_its_end() -> None:
    assert LEXICON.phones.symbols == ("e", "g", "i", "ou")
    assert BOTH.characters("EGO GO").tolist() == [2, 3, 4, 1, 3, 4]
    assert BOTH.phone_labels("EGO GO").tolist() == [4, 3, 5, 1, 3, 5, 1]
    assert BOTH.phone_labels("GO").dtype == np.int32


def test_without_phones_nothing_is_said() -> None:
    alone = Targets(VOCABULARY)
    assert (alone.phone_labels("GO").shape, alone.characters("GO").tolist()) == ((0,), [3, 4])
    assert alone.fault("OEGG") is None


@pytest.mark.parametrize(
    ("text", "characters", "both"), [("GO", 2, 3), ("EGG", 4, 5), ("EGO GO", 6, 7), ("GO  GO", 7, 7)]
)
def test_as_many_frames_as_the_longer_of_both_needs(text: str, characters: int, both: int) -> None:
    """A label each, and a blank between equal neighbours; letters with doubled spaces may be the longer."""
    assert Targets(VOCABULARY).frames_needed(text) == characters
    assert BOTH.frames_needed(text) == both


def test_a_text_that_cannot_be_learned_from_has_its_reason() -> None:
    assert BOTH.fault("GO EGO") is None
    assert BOTH.fault("") == "the transcript is empty"
    assert BOTH.fault("GO OGRE") == "the vocabulary lacks 'R'"
    assert BOTH.fault("GO OGO GOO") == "the lexicon lacks 'OGO' 'GOO'; asr lexicon makes one of all words"


def test_a_phone_that_the_model_was_not_made_for_is_named() -> None:
    with pytest.raises(VocabularyError, match="no phone 'ou'"):
        Targets(VOCABULARY, Phones(("g", "i")), LEXICON).phone_labels("EGO")
