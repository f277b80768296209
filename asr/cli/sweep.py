"""The jobs of a sweep: a note in each job's folder, and a table of them at the end."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from asr.errors import AsrError
from asr.files import write_json
from asr.typed import from_tree, to_tree

NOTE = "job.json"


@dataclass(frozen=True)
class JobNote:
    """A record of one job of a sweep: its settings and how it ended.

    Attributes:
        job: the number of the job in the sweep.
        settings: the job's settings that vary in the sweep, as ``key=value`` separated by commas.
        overrides: all settings that the job was given.
        status: ``training`` while the job runs, then why it ended, or its error.
    """

    job: int
    settings: str
    overrides: tuple[str, ...]
    status: str = "training"


class Ending:
    """The ending of a job that is running; the job sets its ``status``."""

    status = "training"


@contextmanager
def noted(folder: Path, note: JobNote) -> Iterator[Ending]:
    """Write ``folder/job.json`` when a job begins, and again with its status when it ends."""
    ending = Ending()
    _write(folder, note)
    try:
        yield ending
    except AsrError as error:
        ending.status = f"error[{error.code}]: {error}"
        raise
    except BaseException as error:
        ending.status = "interrupted" if isinstance(error, KeyboardInterrupt) else f"{type(error).__name__}: {error}"
        raise
    finally:
        _write(folder, replace(note, status=" ".join(ending.status.split())))


def _write(folder: Path, note: JobNote) -> None:
    write_json(folder / NOTE, to_tree(note))


@dataclass(frozen=True)
class Row:
    """One job in the table, with the error rates of its epoch with the lowest dev WER; None without a dev set."""

    folder: Path
    note: JobNote
    wer: float | None
    cer: float | None


def forget(sweep_dir: Path) -> None:
    """Remove the notes of an earlier call's jobs below a sweep's folder; their runs stay."""
    for path in sweep_dir.rglob(NOTE):
        path.unlink()


def rows(sweep_dir: Path) -> list[Row]:
    """Return the jobs below a sweep's folder by number."""
    found = [_row(path) for path in sweep_dir.rglob(NOTE)]
    return sorted(found, key=lambda row: (row.note.job, str(row.folder)))


def _row(path: Path) -> Row:
    note = from_tree(JobNote, json.loads(path.read_text(encoding="utf-8")), str(path))
    return Row(path.parent, note, *best_dev(path.parent))


def best_dev(folder: Path) -> tuple[float | None, float | None]:
    """Return WER and CER, as fractions, of the epoch with the lowest dev WER; (None, None) without a dev set."""
    log = folder / "log.jsonl"
    lines = log.read_text(encoding="utf-8").splitlines() if log.is_file() else []
    scores = [dev for line in lines if (dev := json.loads(line).get("dev"))]
    best = min(scores, key=lambda dev: dev["wer"], default=None)
    return (best["wer"], best["cer"]) if best else (None, None)


def print_table(sweep_dir: Path) -> None:
    """Print a line for each job: its settings, its error rates, how it ended, and its folder."""
    for line in table(rows(sweep_dir)):
        print(line)


def table(found: Sequence[Row]) -> list[str]:
    """Return the lines of the table, heading first; no lines if there are no jobs."""
    if not found:
        return []
    cells: list[tuple[str, ...]] = [("job", "settings", "dev WER", "dev CER", "status", "run folder")]
    for row in found:
        rates = ["" if rate is None else f"{100 * rate:.2f} %" for rate in (row.wer, row.cer)]
        cells.append((str(row.note.job), row.note.settings, *rates, row.note.status, str(row.folder)))
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    return ["  ".join([*(c.ljust(w) for c, w in zip(line, widths, strict=False)), line[5]]) for line in cells]


def failures(sweep_dir: Path) -> list[str]:
    """Return how each job that failed ended."""
    found = rows(sweep_dir)
    ended_well = ("done", "out of minutes", "training")
    return [f"job {row.note.job}: {row.note.status}" for row in found if not row.note.status.startswith(ended_well)]
