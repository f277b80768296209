"""An utterance is a value: equal by its fields, and not changed once made."""

import dataclasses

import pytest

from asr.data import Utterance


def test_it_cannot_be_changed():
    utterance = Utterance("a", "a.wav", 1.0, "A", "anna")
    with pytest.raises(dataclasses.FrozenInstanceError):
        utterance.text = "B"


def test_it_starts_at_the_start_of_its_recording_unless_said():
    assert Utterance("a", "a.wav", 1.0, "A", "anna") == Utterance("a", "a.wav", 1.0, "A", "anna", offset=0.0)
