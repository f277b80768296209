r"""CSV and TSV files with a header, one manifest a file.

``DIR`` may be one file. The columns, in any order, are ``audio`` or ``path``, ``text`` or ``sentence``, and optionally
``speaker`` and ``id``; others are ignored::

    audio,text,speaker
    clips/0001.wav,"Well, hello",anna

``.csv`` has commas and is quoted as RFC 4180 says; ``.tsv`` has tabs and no quoting. Paths are relative to the
file's folder. Without ``id`` the id is the path as written, without suffix; without ``speaker`` each utterance is its
own speaker.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from asr.corpora.disk import lists_at, read_lines
from asr.corpora.entry import Dropped, Entry, Reason
from asr.corpora.identity import portable_ids
from asr.corpora.importer import Importer
from asr.errors import CorpusError

_LISTS = (".csv", ".tsv")

_AUDIO, _TEXT = ("audio", "path"), ("text", "sentence")


def read(folder: Path) -> Iterator[Entry | Dropped]:
    """Yield the rows of the table, or of every table in the folder."""
    tables = lists_at(folder, _LISTS)
    if not tables:
        raise CorpusError(f"{folder}: looked for *.csv or *.tsv; name the folder that holds one, or the file")
    for table in tables:
        yield from _read_table(table)


def _read_table(table: Path) -> Iterator[Entry | Dropped]:
    header, rows = _rows(table)
    audio, text = _column(table, header, _AUDIO), _column(table, header, _TEXT)
    named = [row for row in rows if row[audio]]
    for row, identity in zip(named, portable_ids([row[audio] for row in named]), strict=True):
        identity = row.get("id") or identity
        yield Entry(table.stem, identity, table.parent / row[audio], row[text], row.get("speaker") or identity)
    unnamed = (number for number, row in enumerate(rows, start=1) if not row[audio])
    yield from (Dropped(table.stem, f"row {number}", Reason.MISSING_AUDIO) for number in unnamed)


def _rows(table: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Read header and rows, with column names in lower case; fields that a short row lacks are empty."""
    lines = (line + "\n" for line in read_lines(table))
    if table.suffix.lower() == ".tsv":
        reader = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    else:
        reader = csv.reader(lines, strict=True)
    try:
        header, *rows = [[value.strip() for value in row] for row in reader] or [[]]
    except csv.Error as fault:
        raise CorpusError(f"{table}: line {reader.line_num}: {fault}") from fault
    header = [name.lower() for name in header]
    empty = dict.fromkeys(header, "")
    return header, [empty | dict(zip(header, row, strict=False)) for row in rows]


def _column(table: Path, header: Sequence[str], names: Sequence[str]) -> str:
    for name in names:
        if name in header:
            return name
    raise CorpusError(f"{table}: needs a column {' or '.join(names)}; the columns are {', '.join(header) or 'none'}")


IMPORTER = Importer(
    "CSV or TSV files with a header: audio or path, text or sentence, perhaps speaker and id",
    read,
    lists=_LISTS,
)
