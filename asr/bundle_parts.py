"""The parts of a bundle, each checked where it is read, and against the others.

The checksums of a bundle say that its files are as somebody wrote them, not that they belong together: this is held
here, before anything is computed with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from asr.decoding.settings import DecoderSettings
from asr.errors import AsrError, BundleCorruptError
from asr.features.cmvn import Normaliser, cmvn_from_arrays
from asr.features.front_end import FrontEnd
from asr.lm.pronunciations import Pronunciations
from asr.onnx_file import Port, read_ports
from asr.stored_arrays import read_arrays
from asr.stored_json import read_json
from asr.text import Phones, Vocabulary

MOST_SUBSAMPLING = 256
_MOST_LABELS = 1 << 17


@contextmanager
def faults_of(path: Path) -> Iterator[None]:
    """Report whatever is wrong with a part as a `BundleCorruptError` that names its file."""
    try:
        yield
    except BundleCorruptError:
        raise
    except (AsrError, OSError, ValueError) as fault:
        words = str(fault).removeprefix(f"{path}: ")
        raise BundleCorruptError(f"{path}: {words}; copy or export the bundle again") from fault


def check_files(folder: Path, parts: Mapping[str, str]) -> None:
    """Refuse files beside those of ``parts``, except hidden ones, and links to files elsewhere.

    Raises:
        BundleCorruptError: there is such a file; the message names it.
    """
    inside = folder.resolve()
    for path in sorted(folder.iterdir()):
        if path.name not in parts and not path.name.startswith("."):
            raise BundleCorruptError(f"{path} is not among the files that the bundle lists; remove it")
        if path.is_symlink() and path.resolve().parent != inside:
            raise BundleCorruptError(f"{path} is a link out of the bundle; copy the file itself there")


def read_front_end(path: Path) -> FrontEnd:
    """Read ``front_end.npz``."""
    with faults_of(path):
        return FrontEnd.from_arrays(read_arrays(path))


def read_cmvn(path: Path, front_end: FrontEnd) -> Normaliser:
    """Read ``cmvn.npz``, which must normalise the features of ``front_end``."""
    with faults_of(path):
        return cmvn_from_arrays(read_arrays(path), front_end.num_features)


def read_vocabulary(path: Path) -> Vocabulary:
    """Read ``vocabulary.json``."""
    with faults_of(path):
        vocabulary = Vocabulary.from_json(path.read_text(encoding="utf-8"))
        if len(vocabulary) > _MOST_LABELS:
            raise ValueError(f"{len(vocabulary):,} labels; {_MOST_LABELS:,} are the most")
        return vocabulary


def read_phones(path: Path) -> Phones:
    """Read ``phones.json``."""
    with faults_of(path):
        symbols = read_json(path)
        if not isinstance(symbols, list) or not all(isinstance(one, str) and one for one in symbols) or not symbols:
            raise ValueError("a list of the names of phones is needed")
        if len(set(symbols)) < len(symbols) or len(symbols) >= _MOST_LABELS:
            raise ValueError("the names of phones must be distinct")
        return Phones(tuple(symbols))


def read_decoder(path: Path, vocabulary: Vocabulary, phones: Phones | None) -> DecoderSettings:
    """Read ``decoder.json``, whose priors must be of as many labels as the bundle has."""
    with faults_of(path):
        settings = DecoderSettings.from_json(read_json(path))
        heard = settings.phones.priors if settings.phones else ()
        for name, priors, labels in (("priors", settings.priors, vocabulary), ("phones.priors", heard, phones or ())):
            if priors and len(priors) != len(labels):
                raise ValueError(f"{name} has {len(priors)} numbers for {len(labels)} labels")
        return settings


def read_pronunciations(path: Path, phones: Phones | None) -> Pronunciations:
    """Read ``pronunciations.npz``, which must be spelled with ``phones``."""
    with faults_of(path):
        pronunciations = Pronunciations.open(path)
        if pronunciations.num_phones != len(phones or ()):
            raise ValueError(
                f"pronunciations of {pronunciations.num_phones} phone labels, and {len(phones or ())} here"
            )
        return pronunciations


def check_frame_s(path: Path, frame_s: float, front_end: FrontEnd) -> float:
    """Return the card's seconds from one output frame to the next: a whole number of the front end's frames."""
    with faults_of(path):
        subsampling = frame_s * front_end.sample_rate / front_end.hop_length
        if not 0.999 < subsampling < MOST_SUBSAMPLING or abs(subsampling - round(subsampling)) > 0.001:
            raise ValueError(f"frame_s {frame_s} is no whole number of the front end's frames, but {subsampling:g}")
        return float(frame_s)


def check_model(path: Path, front_end: FrontEnd, vocabulary: Vocabulary, phones: Phones | None) -> None:
    """Check the inputs and outputs of an ONNX file against the front end and the labels.

    Raises:
        BundleCorruptError: the file holds what no model may have, or a model of other features or labels.
    """
    features, labels = front_end.num_features, len(vocabulary) + len(phones or ())
    inputs = Port("features", "float32", (None, None, features)), Port("feature_lengths", "int64", (None,))
    outputs = Port("log_probs", "float32", (None, None, labels)), Port("log_prob_lengths", "int64", (None,))
    with faults_of(path):
        ports = read_ports(path.read_bytes())
        for wanted, found in ((inputs, ports.inputs), (outputs, ports.outputs)):
            if wanted != found:
                raise ValueError(f"{_shown(wanted)} is needed, got {_shown(found) or 'nothing'}")


def _shown(ports: tuple[Port, ...]) -> str:
    shapes = (", ".join("any" if length is None else str(length) for length in port.shape) for port in ports)
    return ", ".join(f"{port.name} {port.dtype} ({shape})" for port, shape in zip(ports, shapes, strict=True))
