"""Language models read from either format, .lm or ARPA."""

from __future__ import annotations

from pathlib import Path

from asr.errors import LanguageModelError
from asr.lm.arpa import read_arpa
from asr.lm.mapped_file import MAGIC
from asr.lm.model import NgramModel


def read_ngram(path: str | Path) -> NgramModel:
    """Open a file that ``NgramModel.save`` wrote, or read any other file as ARPA.

    The first bytes tell the two apart, since names of ARPA files vary too much.

    Raises:
        LanguageModelError: the file cannot be read, or has neither format.
    """
    try:
        with open(path, "rb") as file:
            ours = file.read(len(MAGIC)) == MAGIC
    except OSError as fault:
        raise LanguageModelError(f"{path}: cannot be read: {fault.strerror or fault}") from fault
    return NgramModel.open(path) if ours else read_arpa(path)
