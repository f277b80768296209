r"""Mozilla Common Voice (https://commonvoice.mozilla.org/datasets).

Each of ``validated.tsv``, ``train.tsv``, ``dev.tsv`` and ``test.tsv`` becomes a manifest. They have a header, tabs,
and no quoting (a ``"`` is a character of the sentence)::

    client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccent\tlocale\tsegment
    9febff…\tcommon_voice_en_78545.mp3\tWhat is the forecast in Kentucky …\t2\t1\tfourties\tfemale\t\ten\t

Recordings are ``clips/{path}``; the speaker is ``client_id``, the id the clip's name. Clips that no list names were
rejected by listeners or not yet validated; they belong to none of these splits and are not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from asr.corpora.disk import not_the_corpus, read_lines
from asr.corpora.entry import Dropped, Entry, Reason
from asr.corpora.importer import Importer
from asr.errors import CorpusError

_SPLITS = ("validated", "train", "dev", "test")
_COLUMNS = ("client_id", "path", "sentence")


def read(folder: Path) -> Iterator[Entry | Dropped]:
    """Yield the utterances of the splits that exist."""
    lists = [path for path in (folder / f"{split}.tsv" for split in _SPLITS) if path.is_file()]
    if not lists:
        raise not_the_corpus(folder, "common_voice", "validated.tsv, train.tsv, dev.tsv or test.tsv", "validated.tsv")
    for path in lists:
        yield from _read_split(folder, path)


def _read_split(folder: Path, path: Path) -> Iterator[Entry | Dropped]:
    header, *rows = [line.rstrip("\r").split("\t") for line in read_lines(path)] or [[]]
    missing = [column for column in _COLUMNS if column not in header]
    if missing:
        raise CorpusError(f"{path}: no column {', '.join(missing)}; the header has {', '.join(header) or 'none'}")
    for number, row in enumerate(rows, start=1):
        # A short row ends in empty fields.
        fields = dict.fromkeys(header, "") | dict(zip(header, row, strict=False))
        yield (
            _entry(folder, path.stem, fields)
            if fields["path"]
            else Dropped(path.stem, f"row {number}", Reason.MISSING_AUDIO)
        )


def _entry(folder: Path, split: str, fields: dict[str, str]) -> Entry | Dropped:
    identity = Path(fields["path"]).stem
    if not fields["client_id"]:
        return Dropped(split, identity, Reason.NO_SPEAKER)
    return Entry(split, identity, folder / "clips" / fields["path"], fields["sentence"], fields["client_id"])


IMPORTER = Importer(
    "Mozilla Common Voice: a locale's folder, with validated.tsv or train/dev/test.tsv and clips/",
    read,
    elsewhere=(
        "Common Voice is given out to named people only: log in at "
        "https://commonvoice.mozilla.org/datasets, download a locale, unpack it, and name the folder with the .tsv "
        "files"
    ),
)
