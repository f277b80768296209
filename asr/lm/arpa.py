r"""ARPA files, the form in which toolkits exchange n-gram models.

::

    anything
    \data\
    ngram 1=4
    ngram 2=2

    \1-grams:
    -0.60206	<unk>
    -99	<s>	-0.30103
    -0.60206	</s>
    -0.30103	THE	-0.1

    \2-grams:
    -0.2	<s> THE
    …
    \end\

An n-gram is base-10 log p(last word | the words before), the words, and the base-10 logarithm of its back-off weight
(0 where it is missing). In the code logarithms are natural.
"""

from __future__ import annotations

import gzip
import io
import re
from array import array
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path
from typing import IO, cast

import numpy as np

from asr.errors import LanguageModelError
from asr.files import write_atomically
from asr.lm.model import NgramModel
from asr.lm.tables import UNKNOWN, BackoffModel, Table
from asr.lm.text import UNREADABLE, open_packed

_LN10 = np.log(10)
_NEVER = -99.0
_COUNT = re.compile(r"ngram\s+([0-9]{1,3})\s*=\s*([0-9]{1,18})")
_LONGEST_LINE = 1 << 16
_UNKNOWN_NAMES = ("<unk>", "<UNK>")
_START, _END = "<s>", "</s>"
_BLOCK = 1 << 16


def write_arpa(path: str | Path, model: NgramModel) -> None:
    """Write a model atomically, with 8 digits a probability; compress it if ``path`` ends in ``.gz``.

    The same model gives the same bytes.
    """
    content = model.tables()
    with write_atomically(path) as temporary, open(temporary, "wb") as plain, _packed(plain, path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="\n")
        counts = "".join(f"ngram {order}={len(table)}\n" for order, table in enumerate(content.tables, start=1))
        text.write(f"\\data\\\n{counts}")
        words = ["<unk>", *content.words, _START, _END]
        names = [""]
        for order, table in enumerate(content.tables, start=1):
            text.write(f"\n\\{order}-grams:\n")
            names = _write_table(text, table, names, words, last=order == len(content.tables))
        text.write("\n\\end\\\n")
        text.flush()


def _packed(file: IO[bytes], path: str | Path) -> AbstractContextManager[IO[bytes]]:
    """Return ``file``, or one that compresses into it and notes neither the time nor the temporary name."""
    if Path(path).suffix.lower() != ".gz":
        return nullcontext(file)
    return cast("AbstractContextManager[IO[bytes]]", gzip.GzipFile("", "wb", fileobj=file, mtime=0))


def _write_table(text: io.TextIOWrapper, table: Table, contexts: list[str], words: list[str], last: bool) -> list[str]:
    """Write the n-grams of one order; return their words as text, for the next order.

    ``contexts`` are the texts of the n-grams one order lower, each with a space after it.
    """
    names: list[str] = []
    for begin in range(0, len(table), _BLOCK):
        rows = slice(begin, begin + _BLOCK)
        log_probs = np.maximum(table.log_probs[rows] / _LN10, _NEVER).tolist()
        backoffs = (table.backoffs[rows] / _LN10).tolist()
        found = [
            contexts[context] + words[word]
            for context, word in zip(table.contexts[rows].tolist(), table.words[rows].tolist(), strict=True)
        ]
        text.writelines(
            f"{log_prob:.8g}\t{name}\t{backoff:.8g}\n" if backoff else f"{log_prob:.8g}\t{name}\n"
            for log_prob, name, backoff in zip(log_probs, found, backoffs, strict=True)
        )
        if not last:
            names += [f"{name} " for name in found]
    return names


def read_arpa(path: str | Path) -> NgramModel:
    """Read a model; decompress it if ``path`` ends in ``.gz``, ``.xz`` or ``.bz2``.

    A file without <unk> gives unknown words the probability 10**-99, as SRILM does.

    Raises:
        LanguageModelError: the file cannot be read or is not an ARPA file; the message names the faulty n-gram.
    """
    try:
        with open_packed(path, Path(path).suffix, "rb") as file:
            text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="\n")
            lines = _lines(text, path)
            counts = _read_counts(lines, path)
            sections = (_read_section(lines, order, count, path) for order, count in enumerate(counts, start=1))
            model = _assemble(sections, path)
            if _next_line(lines) != "\\end\\":
                raise LanguageModelError(f"{path}: \\end\\ is needed after the last n-gram; the file is cut short")
    except UNREADABLE as fault:
        raise LanguageModelError(f"{path}: cannot be read: {fault}; an ARPA file is needed") from fault
    return NgramModel.from_tables(model)


def _lines(text: io.TextIOWrapper, path: str | Path) -> Iterator[str]:
    """Yield the lines of a file, none of which fills the memory."""
    while line := text.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise LanguageModelError(f"{path}: a line of more than {_LONGEST_LINE:,} characters is no n-gram")
        yield line


def _next_line(lines: Iterator[str]) -> str:
    return next((line.strip() for line in lines if not line.isspace()), "")


def _read_counts(lines: Iterator[str], path: str | Path) -> list[int]:
    for line in lines:
        if line.rstrip() == "\\data\\":
            break
    counts: list[int] = []
    while match := _COUNT.fullmatch(line := _next_line(lines)):
        counts.append(int(match[2]))
        if int(match[1]) != len(counts):
            raise LanguageModelError(f"{path}: {line!r} where the count of order {len(counts)} is needed")
    if not counts or line != "\\1-grams:":
        raise LanguageModelError(f"{path}: no ARPA file: \\data\\, counts and \\1-grams: are needed, got {line[:40]!r}")
    return counts


Section = tuple[list[list[str]], np.ndarray, np.ndarray]
"""The words of each n-gram, and the natural logarithms (n,) of its probability and back-off weight."""


def _read_section(lines: Iterator[str], order: int, count: int, path: str | Path) -> Section:
    if order > 1 and (line := _next_line(lines)) != f"\\{order}-grams:":
        raise LanguageModelError(f"{path}: \\{order}-grams: is needed, got {line[:40]!r}")
    words: list[list[str]] = []
    numbers = array("d")  # It grows with the lines, whatever number of them the head announces.
    for line in islice((line for line in lines if not line.isspace()), count):
        fields = line.split()
        try:
            log_prob, backoff = float(fields[0]), float(fields[order + 1]) if len(fields) > order + 1 else 0.0
        except (ValueError, IndexError):
            fields = []
        if not order + 1 <= len(fields) <= order + 2 or not (log_prob < np.inf and backoff < np.inf):
            raise LanguageModelError(
                f"{path}: {line.strip()[:80]!r} among the {count} {order}-grams: "
                f"a logarithm, {order} words and perhaps a back-off weight are needed"
            )
        numbers.extend((log_prob, backoff))
        words.append(fields[1 : order + 1])
    if len(words) < count:
        raise LanguageModelError(f"{path}: {len(words)} {order}-grams where {count} are announced")
    log_probs, backoffs = np.maximum(np.array(numbers).reshape(-1, 2).T, _NEVER) * _LN10
    return words, log_probs, backoffs


def _assemble(sections: Iterator[Section], path: str | Path) -> BackoffModel:
    unigrams, ids, names = _unigrams(next(sections), path)
    width = len(unigrams)
    tables, keys = [unigrams], [unigrams.words.astype(np.int64)]
    for order, (words, log_probs, backoffs) in enumerate(sections, start=2):
        rows = _ids(words, ids, order, path)
        contexts = np.zeros(len(rows), np.int64)
        for word, known in zip(rows.T, keys, strict=False):
            contexts = _look_up(contexts * width + word, known, words, path)
        key = contexts * width + rows[:, -1]
        places = np.argsort(key)
        keys.append(key[places])
        if (same := np.flatnonzero(np.diff(keys[-1]) == 0)).size:
            raise LanguageModelError(f"{path}: {' '.join(words[places[same[0]]])!r} occurs twice")
        tables.append(Table(contexts[places], rows[places, -1], log_probs[places], backoffs[places]))
    return BackoffModel(names, tables)


def _unigrams(section: Section, path: str | Path) -> tuple[Table, dict[str, int], list[str]]:
    """Return the table of order 1, the id of each word, and the words with ids from 1 on."""
    found = [fields[0] for fields in section[0]]
    names = sorted(set(found) - {*_UNKNOWN_NAMES, _START, _END})
    ids = {name: i for i, name in enumerate([*names, _START, _END], start=1)}
    ids |= dict.fromkeys(_UNKNOWN_NAMES, UNKNOWN)
    places = np.fromiter(map(ids.__getitem__, found), np.int64, len(found))
    if (twice := np.flatnonzero(np.bincount(places) > 1)).size:
        raise LanguageModelError(f"{path}: {found[np.flatnonzero(places == twice[0])[1]]!r} occurs twice")
    width = len(names) + 3
    log_probs, backoffs = np.full(width, _NEVER * _LN10), np.zeros(width)
    log_probs[places], backoffs[places] = section[1], section[2]
    words = np.arange(width, dtype=np.int32)
    return Table(np.zeros(width, np.int64), words, log_probs, backoffs), ids, names


def _ids(words: Sequence[Sequence[str]], ids: dict[str, int], order: int, path: str | Path) -> np.ndarray:
    """Return word ids (n, order) int32."""
    try:
        flat = np.fromiter((ids[word] for fields in words for word in fields), np.int32, len(words) * order)
    except KeyError as fault:
        raise LanguageModelError(f"{path}: {fault.args[0]!r} is in a {order}-gram and not among the 1-grams") from None
    return flat.reshape(-1, order)


def _look_up(wanted: np.ndarray, known: np.ndarray, words: Sequence[Sequence[str]], path: str | Path) -> np.ndarray:
    """Return the rows (n,) of the keys ``wanted`` (n,) in the sorted array ``known``."""
    rows = np.minimum(known.searchsorted(wanted), len(known) - 1)
    if (missing := np.flatnonzero(known[rows] != wanted) if len(known) else np.arange(len(wanted))).size:
        raise LanguageModelError(f"{path}: {' '.join(words[missing[0]])!r} starts with an n-gram that is not listed")
    return rows
