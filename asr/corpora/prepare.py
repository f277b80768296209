"""Preparation of a corpus as published: its manifests and a summary."""

from __future__ import annotations

import difflib
import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from asr.corpora import CORPORA
from asr.corpora.entry import Dropped
from asr.corpora.measure import measure
from asr.corpora.summary import ManifestSummary, Summary, summarise
from asr.data import Utterance, write_manifest
from asr.errors import CorpusError
from asr.files import write_json


def prepare(corpus: str, folder: str | Path, out: str | Path | None = None) -> Summary:
    """Write the manifests of ``corpus``, which lies in ``folder``, and ``summary.json`` into ``out``.

    Nothing is written before every header has been read, and each file is written atomically. Recordings below
    ``out`` are named relative to it, others by their absolute path.

    Args:
        corpus: a name in `asr.corpora.CORPORA`.
        folder: the corpus as published; for ``csv`` and ``nemo`` it may be one file.
        out: ``manifests/{corpus}`` when not given.

    Raises:
        CorpusError: no importer has this name, the folder is not that corpus, or nothing in it can be used.
    """
    importer = CORPORA[known_corpus(corpus)]
    folder, out = _existing(corpus, folder), Path(out if out is not None else Path("manifests") / corpus)
    splits = _by_manifest(measure(list(importer.read(folder))))
    _refuse_nothing(folder, splits)
    if ".jsonl" in importer.lists:
        _refuse_overwriting(folder, out, splits)
    try:
        return _write(Summary(corpus, folder, out, ()), splits)
    except OSError as fault:
        name = fault.filename or out
        raise CorpusError(f"{name}: cannot be written: {fault.strerror}; name another folder with -o") from fault


def _existing(corpus: str, folder: str | Path) -> Path:
    path = os.path.abspath(folder)
    if not os.path.exists(path):
        raise CorpusError(f"{path}: there is no such folder; say where {corpus} is, or fetch it with --download")
    if not os.path.isdir(path) and not CORPORA[corpus].lists:
        raise CorpusError(f"{path}: a folder is needed, this is a file")
    return Path(path)


_Splits = dict[str, tuple[list[Utterance], list[Dropped]]]


def known_corpus(name: str) -> str:
    """Return ``name`` if an importer has it.

    Raises:
        CorpusError: no importer has this name; the message suggests the nearest.
    """
    if name in CORPORA:
        return name
    near = difflib.get_close_matches(name.lower().replace("-", "_"), CORPORA, n=1, cutoff=0.5)
    suggestion = f"; did you mean {near[0]}?" if near else "."
    raise CorpusError(f"no importer is named {name!r}{suggestion} There are: {', '.join(CORPORA)}")


def _by_manifest(measured: Iterable[tuple[str, Utterance | Dropped]]) -> _Splits:
    splits: _Splits = defaultdict(lambda: ([], []))
    for manifest, result in measured:
        if isinstance(result, Utterance):
            splits[manifest][0].append(result)
        else:
            splits[manifest][1].append(result)
    return splits


def _refuse_nothing(folder: Path, splits: _Splits) -> None:
    if any(utterances for utterances, _ in splits.values()):
        return
    reasons = [
        f"{name}: {reason}"
        for name, (_, drops) in splits.items()
        for reason in summarise(Path(name), [], drops).reasons()
    ]
    raise CorpusError("\n  ".join([f"{folder}: nothing in it can be used", *reasons]))


def _refuse_overwriting(folder: Path, out: Path, splits: _Splits) -> None:
    """Refuse to overwrite the manifests that are read, since NeMo's have the same suffix as ours."""
    read = {folder.resolve(), *(path.resolve() for path in folder.glob("*.jsonl"))}
    for manifest in (out / f"{name}.jsonl" for name in splits):
        if manifest.resolve() in read:
            raise CorpusError(f"{manifest}: would be written over the manifest read; name another folder with -o")


def _write(summary: Summary, splits: _Splits) -> Summary:
    manifests = tuple(
        _write_one(summary.out / f"{name}.jsonl", utterances, drops) for name, (utterances, drops) in splits.items()
    )
    summary = replace(summary, manifests=manifests)
    write_json(summary.out / "summary.json", summary.to_json())
    return summary


def _write_one(path: Path, utterances: list[Utterance], drops: list[Dropped]) -> ManifestSummary:
    if utterances:
        write_manifest(path, [_placed(utterance, path.parent) for utterance in utterances])
    else:
        # Otherwise the manifest of an earlier run would be taken for this one's.
        path.unlink(missing_ok=True)
    return summarise(path, utterances, drops)


def _placed(utterance: Utterance, out: Path) -> Utterance:
    recording, base = os.path.abspath(utterance.audio_filepath), os.path.abspath(out)
    below = recording.startswith(os.path.join(base, ""))
    return replace(utterance, audio_filepath=os.path.relpath(recording, base) if below else recording)
