"""Recordings of noise or of other speakers to mix into speech, named by folders and manifests."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from asr.audio import AUDIO_SUFFIXES, MINIMUM_S, audio_info, load_audio
from asr.data.manifest import read_manifest
from asr.data.utterance import Utterance
from asr.errors import ConfigError
from asr.files import files_below


def find_recordings(setting: str, paths: Sequence[str]) -> tuple[Utterance, ...]:
    """Find the recordings that ``paths`` name: files, utterances of manifests, folders and patterns.

    Args:
        setting: name of the setting that holds ``paths``, for messages: ``augment.noise``.
        paths: recordings, manifests, folders such as ``ESC-10``, searched to any depth, or patterns such as
            ``ESC-10/*/[1-4]-*``, which leave a part for a test.

    Raises:
        ConfigError: a path does not exist or holds no recording.
        ManifestError: a manifest has bad lines.
        AudioError: a recording cannot be read.
    """
    return tuple(utterance for path in paths for utterance in _found(setting, Path(path)))


def _found(setting: str, path: Path) -> list[Utterance]:
    if path.is_file():
        return _whole([path]) if path.suffix.lower() in AUDIO_SUFFIXES else read_manifest(path)
    if not path.is_dir() and not glob.has_magic(str(path)):
        raise ConfigError(f"{setting}: {path} is not there; name a folder of recordings or a manifest of them")
    found = files_below(path, _refuse) if path.is_dir() else map(Path, glob.iglob(str(path), recursive=True))
    recordings = _whole(p for p in found if p.suffix.lower() in AUDIO_SUFFIXES)
    if not recordings:
        raise ConfigError(f"{setting}: {path} holds no recording ({', '.join(sorted(AUDIO_SUFFIXES))})")
    return recordings


def _refuse(fault: OSError) -> None:
    raise ConfigError(f"{fault.filename}: cannot be listed: {fault.strerror}") from fault


def _whole(paths: Iterable[Path]) -> list[Utterance]:
    return [Utterance(p.stem, str(p), audio_info(p).duration, "", p.stem) for p in sorted(paths)]


def excerpt(recording: Utterance, count: int, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Draw an excerpt (count,) from ``recording``; if that is too short, repeat all of it from a random sample on.

    Raises:
        AudioError: the recording cannot be read.
    """
    wanted = max(count / sample_rate, MINIMUM_S)
    start = rng.uniform(0, max(recording.duration - wanted, 0))
    whole = recording.duration <= wanted
    samples = load_audio(
        recording.audio_filepath,
        sample_rate,
        offset_s=recording.offset + start,
        duration_s=recording.duration if whole else wanted,
    )
    return np.resize(np.roll(samples, rng.integers(len(samples))) if whole else samples, count)
