"""Text files of references and hypotheses, in three layouts.

=======  =============================  ==========================================================
layout   a line                         how it is recognised
=======  =============================  ==========================================================
lines    ``THE CAT SAT``                the default; line i of one file matches line i of the other
kaldi    ``1089-134686-0000 THE CAT``   by the argument ``ids``
trn      ``THE CAT (1089-134686-0000)``  by the suffix ``.trn`` (NIST sclite)
=======  =============================  ==========================================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from asr.errors import EvaluationError
from asr.evaluation.hypotheses import read_lines

Layout = Literal["lines", "kaldi", "trn"]
_TRN = re.compile(r"(?P<text>.*)\((?P<id>[^()\s]+)\)\s*")


@dataclass(frozen=True)
class TextReference:
    """One line of a text file; ``speaker`` is the id, unless ids are declared to start with the speaker."""

    id: str
    text: str
    speaker: str


def read_texts(path: str | Path, layout: Layout = "lines") -> dict[str, str]:
    """Read texts by id, in the order of the file; in layout ``lines`` the ids are ``line 1``, ``line 2`` and so on.

    Raises:
        EvaluationError: the file cannot be read or is empty, a line has no id, or an id occurs twice.
    """
    texts: dict[str, str] = {}
    for number, line in enumerate(read_lines(path), start=1):
        if layout != "lines" and not line.strip():
            continue
        name, text = _split(line, number, layout, path)
        if name in texts:
            raise EvaluationError(f"{path}: line {number}: id {name!r} occurs twice")
        texts[name] = text.strip()
    if not texts:
        raise EvaluationError(f"{path}: no lines")
    return texts


def _split(line: str, number: int, layout: Layout, path: str | Path) -> tuple[str, str]:
    if layout == "lines":
        return f"line {number}", line
    if layout == "kaldi":
        name, *rest = line.split(maxsplit=1)
        return name, rest[0] if rest else ""
    if match := _TRN.fullmatch(line):
        return match["id"], match["text"]
    raise EvaluationError(f"{path}: line {number}: 'text (id)' is needed, got {line!r}")


def read_text_pair(
    reference_path: str | Path, hypothesis_path: str | Path, *, ids: bool = False, speakers: bool = False
) -> tuple[list[TextReference], dict[str, str]]:
    """Read references and hypotheses from two text files, ready for ``evaluate``.

    Args:
        reference_path: the reference transcripts.
        hypothesis_path: the recognised texts, in the same layout.
        ids: each line starts with its id (layout ``kaldi``); files that end in ``.trn`` have ids anyway.
        speakers: the speaker is the part of an id before its first ``-`` or ``_``, as in sclite and Kaldi.

    Raises:
        EvaluationError: as for ``read_texts``; or the files differ in layout or, without ids, in the number of lines.
    """
    layouts: list[Layout] = [_layout(path, ids) for path in (reference_path, hypothesis_path)]
    if layouts[0] != layouts[1]:
        raise EvaluationError(
            f"{reference_path} is read as {layouts[0]}, {hypothesis_path} as {layouts[1]}; use one layout"
        )
    if speakers and layouts[0] == "lines":
        raise EvaluationError("speakers are read from ids, and lines without ids have none; use --ids or .trn files")
    truths, texts = read_texts(reference_path, layouts[0]), read_texts(hypothesis_path, layouts[0])
    if layouts[0] == "lines" and len(truths) != len(texts):
        raise EvaluationError(
            f"{reference_path} has {len(truths)} lines, {hypothesis_path} {len(texts)}; "
            "without ids, line i of one belongs to line i of the other"
        )
    speaker_of = _prefix if speakers else str
    return [TextReference(name, text, speaker_of(name)) for name, text in truths.items()], texts


def _layout(path: str | Path, ids: bool) -> Layout:
    if Path(path).suffix.lower() == ".trn":
        return "trn"
    return "kaldi" if ids else "lines"


def _prefix(name: str) -> str:
    return re.split(r"[-_]", name, maxsplit=1)[0]
