"""Text files → sentences as a language model counts them.

=====================  ==============================================================================
a file                 its sentences
=====================  ==============================================================================
``….jsonl``            the ``text`` of each line: a manifest, or any JSON Lines with that key
``….tar``, ``.tar.xz``  of each file in it, as below
any other              its lines; with ``prose`` what ends in . ! or ?, and at blank lines, across lines
=====================  ==============================================================================

``.gz``, ``.xz`` and ``.bz2`` are unpacked on the way. All of it comes in blocks of some hundred thousand characters,
normalised, one sentence a line.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import re
import tarfile
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import IO

from asr.errors import LanguageModelError
from asr.text import find_normaliser, normalise_lines
from asr.text.losses import count_lost
from asr.text.normalisers import FOR_TRAINING

_BLOCK = 1 << 19
_OPENERS: dict[str, Callable] = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}
UNREADABLE = (OSError, EOFError, UnicodeDecodeError, lzma.LZMAError, zlib.error, tarfile.TarError)
"""What reading packed text raises, beside errors of this project."""

_PARAGRAPH = re.compile(r"\n\s*\n")
_TITLES = "Mr Mrs Ms Dr St Messrs Mme Mlle Jr Sr Prof Rev Hon Capt Col Gen Maj Lieut Lt Sergt Sgt Esq No Vol"
_SENTENCE_END = re.compile(
    r"([.!?؟।]"
    + "".join(rf"(?<!\b{word}\.)" for word in [*_TITLES.split(), "[A-HJ-Z]"])
    + r"[.!?؟।]*[\"'“”’»)\]_]*)\s+(?=[\"'“‘„«(\[_—-]*([^\W_]))|([。！？]+[」』”’]*)\s*"
)
"""An end mark, and what may begin a sentence after it; not after an initial or a title."""


def open_packed(path: str | Path, suffix: str, mode: str) -> IO[bytes]:
    """Open a file for bytes, packed as files with ``suffix`` are."""
    return _OPENERS.get(suffix.lower(), open)(path, mode)


def read_sentences(
    path: str | Path,
    *,
    normaliser: str = FOR_TRAINING,
    prose: bool = False,
    without_speakers: Collection[str] = (),
    lost: Counter[str] | None = None,
) -> Iterator[str]:
    """Blocks of sentences of a file, normalised, one a line.

    Args:
        path: text, perhaps packed, or a manifest.
        normaliser: by name.
        prose: sentences end at their marks and at blank lines, not at each line.
        without_speakers: whose utterances of a manifest are left out.
        lost: gets the characters, such as digits, that the normaliser loses, with how often each came.

    Raises:
        LanguageModelError: the file cannot be read, is no UTF-8, or a line of a manifest has no text.
        ConfigError: no normaliser has this name.
    """
    find_normaliser(normaliser)
    try:
        for file, name in _members(Path(path)):
            texts = io.TextIOWrapper(file, encoding="utf-8-sig", newline="\n")
            lines: Iterable[str] = _manifest_texts(texts, path, without_speakers) if name.endswith(".jsonl") else texts
            for block in _blocks(lines, whole_paragraphs=prose):
                if lost is not None:
                    lost.update(count_lost(block, normaliser))
                yield normalise_lines(split_prose(block) if prose else block, normaliser)
    except UNREADABLE as fault:
        raise LanguageModelError(f"{path}: cannot be read: {fault}; UTF-8 text is needed") from fault


def _members(path: Path) -> Iterator[tuple[IO[bytes], str]]:
    """The files of an archive, or the file itself, each with its name less the suffix of its packing."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    name = path.with_suffix("").name if suffixes[-1:] and suffixes[-1] in _OPENERS else path.name
    if not name.endswith(".tar"):
        with open_packed(path, path.suffix, "rb") as file:
            yield file, name
        return
    with tarfile.open(path) as archive:
        for member in archive:
            if (inside := archive.extractfile(member)) is not None:
                yield inside, member.name


def _manifest_texts(lines: Iterable[str], path: str | Path, without_speakers: Collection[str]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            utterance = json.loads(line)
            text, speaker = utterance["text"], utterance.get("speaker")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
            raise LanguageModelError(f"{path}: line {number}: an object with 'text' is needed") from fault
        if not isinstance(text, str):
            raise LanguageModelError(f"{path}: line {number}: 'text' must be a string, got {text!r}")
        if speaker not in without_speakers:
            yield " ".join(text.split()) + "\n"


def _blocks(lines: Iterable[str], *, whole_paragraphs: bool) -> Iterator[str]:
    """Lines joined to blocks; with ``whole_paragraphs`` a block ends before a blank line."""
    kept: list[str] = []
    size = 0
    for line in lines:
        kept.append(line)
        size += len(line)
        if size >= _BLOCK and (not whole_paragraphs or line.isspace()):
            yield "".join(kept)
            kept, size = [], 0
    yield "".join(kept)


def split_prose(text: str) -> str:
    r"""Running prose, wrapped anywhere, as one sentence a line.

    >>> split_prose("'Is it you,\nMr. J. Poe?' he said. Yes.\n\nCHAPTER II\n\nIt was")
    "'Is it you, Mr. J. Poe?' he said.\nYes.\nCHAPTER II\nIt was"
    """
    paragraphs = (" ".join(paragraph.split("\n")) for paragraph in _PARAGRAPH.split(text))
    return "\n".join(_SENTENCE_END.sub(_ended, paragraph).rstrip("\n") for paragraph in paragraphs)


def _ended(match: re.Match[str]) -> str:
    """Return a sentence's end and a line end after it; none where what follows is in lower case."""
    end, first, full_stop = match.groups()
    if full_stop:
        return f"{full_stop}\n"
    return match[0] if first.islower() else f"{end}\n"
