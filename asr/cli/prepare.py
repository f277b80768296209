"""Convert a published corpus into manifests, with a summary of dropped utterances and the reasons."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from asr.corpora import CORPORA

if TYPE_CHECKING:
    from asr.corpora.download import Progress
    from asr.corpora.fetch import Lock
    from asr.corpora.summary import Summary

_HEADER = ("manifest", "utterances", "hours", "speakers", "dropped")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``asr prepare``."""
    width = max(map(len, CORPORA))
    parser.epilog = "corpora:\n" + "\n".join(f"  {name:{width}}  {importer.what}" for name, importer in CORPORA.items())
    parser.add_argument("corpus", metavar="CORPUS", help="which corpus, from the list below")
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder of the corpus, or to download it to")
    parser.add_argument("-o", "--out", metavar="OUT", type=Path, help="folder to write (default: manifests/CORPUS)")
    parser.add_argument("--download", action="store_true", help="download the corpus into DIR first")
    parser.add_argument(
        "--part", action="append", default=[], metavar="PART", help="part to download, e.g. dev-clean; may be repeated"
    )
    parser.add_argument("--mirror", metavar="URL", help="download from this folder, which has the same file names")


def run(arguments: argparse.Namespace) -> int:
    """Prepare the corpus and print its summary on standard output."""
    from rich.console import Console

    from asr.corpora.prepare import known_corpus, prepare
    from asr.errors import DownloadError

    corpus, folder = known_corpus(arguments.corpus), arguments.folder
    if arguments.download:
        folder = _download(corpus, folder, tuple(arguments.part), arguments.mirror)
    elif arguments.part or arguments.mirror:
        raise DownloadError("--part and --mirror say what to download: add --download")
    with Console(stderr=True).status(f"reading {folder}"):
        summary = prepare(corpus, folder, arguments.out)
    _print_summary(summary)
    return 0


def _download(corpus: str, folder: Path, parts: tuple[str, ...], mirror: str | None) -> Path:
    """Download the corpus and return its folder."""
    from asr.corpora.archives import archives_of
    from asr.corpora.fetch import fetch

    archives = archives_of(corpus, parts)
    for lock in fetch(archives, folder, mirror, display=_progress_bar):
        print(_provenance(lock), file=sys.stderr)
    return folder / archives[0].root


def _provenance(lock: Lock) -> str:
    trust = f"published {lock.published}" if lock.published else "no checksum is published: trusted as first downloaded"
    return f"{lock.url}: {lock.size} bytes, sha256 {lock.sha256} ({trust})"


@contextmanager
def _progress_bar(name: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = ("{task.description}", BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=None)
        yield lambda held, expected: bar.update(task, completed=held, total=expected or None)


def _print_summary(summary: Summary) -> None:
    from rich.console import Console

    rows: list[tuple[str, ...]] = [
        (m.path.name, str(m.utterances), f"{m.hours:.2f}", str(m.speakers), str(sum(map(len, m.dropped.values()))))
        for m in summary.manifests
    ]
    console = Console()
    if console.is_terminal:
        console.print(_table(rows))
    else:
        _print_plain(rows)
    for manifest in summary.manifests:
        for reason in manifest.reasons():
            print(f"{manifest.path.name}: dropped {reason}")
    print(f"written to {summary.out}; every dropped id is in {summary.out / 'summary.json'}")


def _table(rows: list[tuple[str, ...]]) -> object:
    from rich.table import Table

    table = Table()
    for name in _HEADER:
        table.add_column(name, justify="left" if name == "manifest" else "right")
    for row in rows:
        table.add_row(*row)
    return table


def _print_plain(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(_HEADER, *rows, strict=True)]
    for row in (_HEADER, *rows):
        first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join([row[0].ljust(len(first)), *others]))
