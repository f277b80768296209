"""A model of either form."""

from __future__ import annotations

from pathlib import Path

from asr.errors import LanguageModelError
from asr.lm.arpa import read_arpa
from asr.lm.mapped_file import MAGIC
from asr.lm.model import NgramModel


def read_ngram(path: str | Path) -> NgramModel:
    """Open what ``NgramModel.save`` wrote, or read any other file as ARPA; names differ too much to go by.

    Raises:
        LanguageModelError: the file cannot be read, or is neither.
    """
    try:
        with open(path, "rb") as file:
            ours = file.read(len(MAGIC)) == MAGIC
    except OSError as fault:
        raise LanguageModelError(f"{path}: cannot be read: {fault.strerror or fault}") from fault
    return NgramModel.open(path) if ours else read_arpa(path)
