"""The record of how a run's model is made, and the check that a run that goes on has the same one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from asr.card import PartFigures
from asr.data import Utterance
from asr.errors import ConfigError
from asr.provenance import provenance
from asr.run_record import SETUP, DataFigures, Dropped, Origin, RunRecord, read_setup
from asr.training.preflight import Fault
from asr.training.targets import Targets


def record_of(
    train: Sequence[Utterance],
    dev: Sequence[Utterance],
    faults: Iterable[Fault],
    targets: Targets,
    *,
    parameters: int,
    config: Mapping[str, Any],
    seed: int,
    began_with: Origin | None,
) -> RunRecord:
    """Return the record of a run.

    Args:
        train: the utterances to train on.
        dev: the utterances of the dev set.
        faults: the utterances that were left out.
        targets: what the model learns to say.
        parameters: the number of parameters of the model.
        config: the whole configuration as given.
        seed: the seed of all random draws.
        began_with: the model whose weights training begins with.
    """
    learned = replace(_figures(train), said_sha256=_pronunciations_sha256(train, targets))
    return RunRecord(
        **provenance(seed),
        tensorflow=version("tensorflow"),
        config=config,
        data=DataFigures(learned, _figures(dev), tuple(Dropped(fault.id, fault.reason) for fault in faults)),
        parameters=parameters,
        began_with=began_with,
    )


def check_unchanged(folder: Path, record: RunRecord) -> None:
    """Check that a resumed run has the utterances, labels and starting weights with which it began.

    Raises:
        ConfigError: the manifests have changed, or ``init_from`` now has other weights.
    """
    if not (folder / SETUP).is_file() or not any((folder / "checkpoints").glob("[0-9]*.json")):
        return
    before = read_setup(folder).record
    first, again = (r.began_with.weights_sha256 if r.began_with else "" for r in (before, record))
    if first and first != again:
        raise ConfigError(f"{folder} began with other weights than init_from has now; name another run_dir")
    sets = {"train": (before.data.train, record.data.train), "dev": (before.data.dev, record.data.dev)}
    for name, (then, now) in sets.items():
        if then not in (now, replace(now, said_sha256=None)):  # runs of before have no digest of the phones
            raise ConfigError(
                f"{folder} began with other {name} utterances ({then.utterances}, {then.hours} h; "
                f"now {now.utterances}, {now.hours} h), or other pronunciations; "
                "restore manifests and lexicon, or name another run_dir"
            )


def _pronunciations_sha256(train: Sequence[Utterance], targets: Targets) -> str | None:
    """Return a digest of the phones to be learned, if any: a lexicon may be corrected between two calls."""
    if targets.phones is None:
        return None
    digest = hashlib.sha256(" ".join(targets.phones.symbols).encode())
    for utterance in train:
        digest.update(targets.phone_labels(utterance.text).tobytes() + b"\n")
    return digest.hexdigest()


def _figures(utterances: Sequence[Utterance]) -> PartFigures:
    """Return number, hours and speakers of utterances, and a digest of their ids, times and texts."""
    content = [[u.id, u.offset, u.duration, u.text] for u in utterances]
    return PartFigures(
        utterances=len(utterances),
        hours=round(sum(u.duration for u in utterances) / 3600, 4),
        speakers=len({u.speaker for u in utterances}),
        sha256=hashlib.sha256(json.dumps(content).encode()).hexdigest(),
    )
