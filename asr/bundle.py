"""Bundles: folders with everything that transcription needs, each file verified before it is read.

::

    bundle.json       format version, and the SHA-256 of every other file
    card.json         the model card: what it is, its training data, its error rates
    front_end.npz     arrays of the front end
    cmvn.npz          mean and standard deviation, and a prior's weight if any; empty for per-utterance normalisation
    vocabulary.json   blank and characters
    normaliser.json   the name of the text normaliser: how any text is written with these characters
    phones.json       the phones of the phone outputs, if the model has these
    float32.onnx      features (B, T, F), feature_lengths (B,) → log_probs (B, T', V + P), log_prob_lengths (B,)
    int8.onnx         the same with weights in 8 bits; at least one of the two is there
    decoder.json      tuned weights, beam width, models of confidence; if missing, the best path is decoded
    language_model.lm n-grams of words, optional
    pronunciations.npz  pronunciations of these words, for a model with phone outputs
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from asr.bundle_parts import (
    check_files,
    check_frame_s,
    check_model,
    faults_of,
    read_cmvn,
    read_decoder,
    read_front_end,
    read_phones,
    read_pronunciations,
    read_vocabulary,
)
from asr.card import FILE as CARD
from asr.card import ModelCard, read_card
from asr.decoding.settings import DecoderSettings
from asr.errors import BundleCorruptError, BundleError, BundleNotFoundError, ConfigError
from asr.features.cmvn import Normaliser
from asr.features.front_end import FrontEnd
from asr.files import sha256_of, sync
from asr.lm.pronunciations import Pronunciations
from asr.staging import recover_folder, replace_folder, temporary_folder
from asr.stored_json import read_json
from asr.text import Phones, Vocabulary, find_normaliser

FORMAT = 1
DEFAULT = "an4"
"""The name of the bundle of this package that is used where neither the caller nor the user names one."""

MODEL_VARIABLE = "ASR_MODEL"
"""The environment variable with the user's own default: the name or the folder of a bundle."""

SHIPPED = Path(__file__).parent / "bundles"
_INDEX = "bundle.json"
_PARTS = (CARD, "front_end.npz", "cmvn.npz", "vocabulary.json")
_NORMALISER = "normaliser.json"
_PRECISIONS = ("int8", "float32")
_DECODER = "decoder.json"
_LANGUAGE_MODEL = "language_model.lm"
_PHONES = "phones.json"
_PRONUNCIATIONS = "pronunciations.npz"
_OPTIONAL = (_NORMALISER, _DECODER, _LANGUAGE_MODEL, _PHONES, _PRONUNCIATIONS)
_KNOWN = {*_PARTS, *_OPTIONAL, *(f"{precision}.onnx" for precision in _PRECISIONS)}


@dataclass(frozen=True)
class Bundle:
    """A verified bundle.

    Attributes:
        path: the folder of the bundle.
        card: the model card.
        front_end: samples (N,) → features (T, F).
        cmvn: features → normalised features.
        vocabulary: labels ↔ characters.
        normaliser: the name of the text normaliser by which transcripts were written for training; hotwords, phrases,
            words, texts of language models, texts to align and references are written by it as well.
        precisions: the precisions of its ONNX models, smallest first: ``int8``, ``float32``.
        frame_s: seconds from one output frame to the next.
        decoder: the default settings of the decoder.
        language_model: the file of the language model, None if there is none.
        phones: the phones of the phone outputs, None if the model has only character outputs.
        pronunciations: pronunciations of the language model's words, None if there are none.
    """

    path: Path
    card: ModelCard
    front_end: FrontEnd
    cmvn: Normaliser
    vocabulary: Vocabulary
    normaliser: str
    precisions: tuple[str, ...]
    frame_s: float
    decoder: DecoderSettings = DecoderSettings()
    language_model: Path | None = None
    phones: Phones | None = None
    pronunciations: Pronunciations | None = None

    def model_path(self, precision: str | None = None) -> Path:
        """Return the ONNX file of this precision, or of the smallest precision if None.

        Raises:
            BundleError: the bundle has no model of this precision.
        """
        precision = precision or self.precisions[0]
        if precision not in self.precisions:
            raise BundleError(f"{self.path} has no {precision} model, only {', '.join(self.precisions)}")
        return self.path / f"{precision}.onnx"


def default_bundle() -> str:
    """Return the bundle to use where none is named: what ASR_MODEL names if it is set, else ``DEFAULT``."""
    return os.environ.get(MODEL_VARIABLE) or DEFAULT


def find_bundle(name_or_path: str | Path | None = None) -> Path:
    """Find the folder of a bundle of this package by name, or of any bundle by path; the default one where None.

    Raises:
        BundleNotFoundError: there is no such bundle; the message lists those of this package.
    """
    wanted = str(name_or_path or default_bundle())
    for folder in (SHIPPED / wanted, Path(wanted)):
        if _is_bundle(folder):
            return folder
    shipped = ", ".join(folder.name for folder in shipped_bundles()) or "none"
    named = "" if name_or_path or wanted == DEFAULT else f"{MODEL_VARIABLE} names "
    raise BundleNotFoundError(
        f"{named}no bundle {wanted!r}: not in this package ({shipped}), nor a folder with {_INDEX}"
    )


def _is_bundle(folder: Path) -> bool:
    """Tell whether a folder holds a bundle; one that a kill left between two names is brought back."""
    try:
        recover_folder(folder)
        return (folder / _INDEX).is_file()
    except (OSError, ValueError):  # for example a name that is too long, or has a zero byte
        return False


def shipped_bundles() -> list[Path]:
    """List the folders of the bundles in this package, the default one first."""
    folders = [path.parent for path in SHIPPED.glob(f"*/{_INDEX}")]
    return sorted(folders, key=lambda folder: (folder.name != DEFAULT, folder.name))


def load_bundle(name_or_path: str | Path | None = None) -> Bundle:
    """Verify every file of a bundle by its SHA-256, then read the bundle.

    Raises:
        BundleNotFoundError: there is no such bundle.
        BundleCorruptError: a file is missing or changed, the format has another version, or nothing says which
            normaliser its texts were written by.
    """
    folder = find_bundle(name_or_path)
    parts = _verify(folder)
    card = read_card(folder)
    front_end = read_front_end(folder / "front_end.npz")
    vocabulary = read_vocabulary(folder / "vocabulary.json")
    phones = read_phones(folder / _PHONES) if _PHONES in parts else None
    precisions = tuple(p for p in _PRECISIONS if f"{p}.onnx" in parts)
    for precision in precisions:
        check_model(folder / f"{precision}.onnx", front_end, vocabulary, phones)
    return Bundle(
        path=folder,
        card=card,
        front_end=front_end,
        cmvn=read_cmvn(folder / "cmvn.npz", front_end),
        vocabulary=vocabulary,
        normaliser=_normaliser(folder, card, parts),
        precisions=precisions,
        frame_s=check_frame_s(folder / CARD, card.frame_s, front_end),
        decoder=read_decoder(folder / _DECODER, vocabulary, phones) if _DECODER in parts else DecoderSettings(),
        language_model=folder / _LANGUAGE_MODEL if _LANGUAGE_MODEL in parts else None,
        phones=phones,
        pronunciations=read_pronunciations(folder / _PRONUNCIATIONS, phones) if _PRONUNCIATIONS in parts else None,
    )


def read_normaliser(name_or_path: str | Path | None = None) -> str:
    """Return the name of a bundle's normaliser, without reading the rest of it.

    Raises:
        BundleNotFoundError: no such bundle.
        BundleCorruptError: as ``load_bundle`` raises it.
    """
    folder = find_bundle(name_or_path)
    parts = {_NORMALISER} if (folder / _NORMALISER).is_file() else set()
    return _normaliser(folder, read_card(folder), parts)


def _normaliser(folder: Path, card: ModelCard, parts: set[str]) -> str:
    """Return the normaliser's name: its part's, or, in a bundle of before it was one, what the run was given."""
    try:
        if _NORMALISER in parts:
            name = read_json(folder / _NORMALISER)["name"]
        else:
            name = card.config["data"]["normaliser"]
        find_normaliser(name)
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise BundleCorruptError(
            f"{folder} does not say which normaliser its texts were written by; export its run again"
        ) from fault
    except ConfigError as fault:
        raise BundleCorruptError(
            f"{folder}: {fault}; it was made by another version of asr: install that one"
        ) from fault
    return str(name)


def write_bundle(
    folder: str | Path,
    *,
    card: ModelCard,
    front_end: FrontEnd,
    cmvn: Normaliser,
    vocabulary: Vocabulary,
    normaliser: str,
    models: Mapping[str, Path],
    phones: Phones | None = None,
) -> Path:
    """Write a bundle to ``folder``, atomically.

    Args:
        folder: the folder to write; a bundle already there is replaced once the new one is complete.
        card: the model card.
        front_end: samples → features.
        cmvn: features → normalised features.
        vocabulary: labels ↔ characters.
        normaliser: the name of the text normaliser that transcripts were written by.
        models: ONNX files to copy, by precision (``float32``, ``int8``).
        phones: the phones of the models' phone outputs, if they have these.

    Raises:
        BundleError: there are no models, or ``folder`` holds something else than a bundle.
        ConfigError: no normaliser has this name.
    """
    find_normaliser(normaliser)
    folder = Path(folder)
    if not models or not set(models) <= set(_PRECISIONS):
        raise BundleError(f"a bundle needs models of {' or '.join(_PRECISIONS)}, got {sorted(models)}")
    recover_folder(folder)
    if folder.exists() and not (folder / _INDEX).is_file() and any(folder.iterdir()):
        raise BundleError(f"{folder} exists and is not a bundle; remove it or name another folder")
    with _written_whole(folder) as parts:
        _write_json(parts / CARD, card.to_json())
        np.savez(parts / "front_end.npz", allow_pickle=False, **front_end.to_arrays())
        np.savez(parts / "cmvn.npz", allow_pickle=False, **cmvn.to_arrays())
        (parts / "vocabulary.json").write_text(vocabulary.to_json() + "\n", encoding="utf-8")
        _write_json(parts / _NORMALISER, {"name": normaliser})
        if phones:
            _write_json(parts / _PHONES, phones.symbols)
        for precision, path in models.items():
            shutil.copyfile(path, parts / f"{precision}.onnx")
    return folder


def write_decoder(
    folder: str | Path,
    settings: DecoderSettings,
    language_model: Path | None,
    card: ModelCard,
    pronunciations: Pronunciations | None = None,
) -> None:
    """Replace the decoder of the bundle in ``folder``, atomically.

    Args:
        folder: the folder of the bundle.
        settings: the new default settings of the decoder.
        language_model: a file that `NgramModel.save` wrote, to be copied; None for no language model.
        card: the bundle's card, with the description and error rates of the new decoder.
        pronunciations: pronunciations of the language model's words, for a model with phone outputs.
    """
    folder = Path(folder)
    kept = sorted(_verify(folder) - {_DECODER, _LANGUAGE_MODEL, _PRONUNCIATIONS, CARD})
    with _written_whole(folder) as parts:
        for name in kept:
            shutil.copyfile(folder / name, parts / name)
        _write_json(parts / CARD, card.to_json())
        _write_json(parts / _DECODER, settings.to_json())
        if language_model:
            shutil.copyfile(language_model, parts / _LANGUAGE_MODEL)
        if pronunciations:
            pronunciations.save(parts / _PRONUNCIATIONS)


@contextmanager
def _written_whole(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder for a bundle's files; it replaces ``folder`` when the block succeeds."""
    with temporary_folder(folder) as temporary:
        yield temporary
        index = {"format": FORMAT, "sha256": {p.name: sha256_of(p) for p in sorted(temporary.iterdir())}}
        _write_json(temporary / _INDEX, index)
        temporary.chmod(0o755)
        for path in (*temporary.iterdir(), temporary):
            sync(path)
        replace_folder(temporary, folder)
        sync(folder.parent)


def _write_json(path: Path, tree: Mapping[str, Any] | Sequence[str]) -> None:
    path.write_text(json.dumps(tree, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _verify(folder: Path) -> set[str]:
    """Hold the files of a bundle against its index; return the names of its parts."""
    parts = _read_index(folder / _INDEX)
    if missing := [p for p in _PARTS if p not in parts]:
        raise BundleCorruptError(f"{folder / _INDEX} lists no {', '.join(missing)}")
    if not any(f"{p}.onnx" in parts for p in _PRECISIONS):
        raise BundleCorruptError(f"{folder / _INDEX} lists no model")
    if unknown := parts.keys() - _KNOWN:
        raise BundleCorruptError(f"{folder / _INDEX} lists {sorted(unknown)[0]!r}, which no bundle has")
    check_files(folder, {**parts, _INDEX: ""})
    for name, wanted in parts.items():
        if not (folder / name).is_file():
            raise BundleCorruptError(f"{folder / name} is missing; copy or export the bundle again")
        with faults_of(folder / name):
            got = sha256_of(folder / name)
        if got != wanted:
            raise BundleCorruptError(
                f"{folder / name} has SHA-256 {got[:12]}…, {_INDEX} has {wanted[:12]}…; copy or export the bundle again"
            )
    return set(parts)


def _read_index(path: Path) -> dict[str, str]:
    """Return the name and the SHA-256 of each part."""
    try:
        index = read_json(path)
        known, parts = index["format"], dict(index["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise BundleCorruptError(f"{path} cannot be read: {fault}") from fault
    if known != FORMAT:
        raise BundleCorruptError(f"{path.parent}: bundle format {known!r}, but this version of asr reads {FORMAT}")
    if not all(isinstance(text, str) for pair in parts.items() for text in pair):
        raise BundleCorruptError(f"{path} cannot be read: each file needs its SHA-256")
    return parts
