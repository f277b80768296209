"""The option ``--normaliser`` of several verbs, and the normaliser that is used without it."""

from __future__ import annotations

import argparse
from pathlib import Path

from asr.errors import CheckpointError, ConfigError


def normaliser_names() -> list[str]:
    """Return the names of all normalisers without importing any."""
    folder = Path(__file__).parents[1] / "text" / "normalisers"
    return sorted(path.stem for path in folder.glob("*.py") if not path.name.startswith("_"))


def add_normaliser(parser: argparse._ActionsContainer, default: str) -> None:
    """Add the option ``--normaliser NAME``; ``default`` describes the normaliser that is used without it."""
    parser.add_argument(
        "--normaliser",
        metavar="NAME",
        help=f"how texts are written: {', '.join(normaliser_names())} (default: {default})",
    )


def add_normaliser_or_bundle(parser: argparse.ArgumentParser) -> None:
    """Add the options ``--normaliser NAME`` and ``--for BUNDLE``."""
    choice = parser.add_mutually_exclusive_group()
    add_normaliser(choice, "as training has it, letters")
    choice.add_argument("--for", dest="bundle", metavar="BUNDLE", help="write texts as this bundle writes them")


def chosen_normaliser(arguments: argparse.Namespace) -> str:
    """Return the normaliser that the options choose: the given name, the bundle's, or the default of training.

    Raises:
        ConfigError: no normaliser has this name.
        BundleNotFoundError, BundleCorruptError: the bundle cannot be read.
    """
    from asr.bundle import read_normaliser
    from asr.text import find_normaliser
    from asr.text.normalisers import FOR_TRAINING

    if arguments.bundle is not None:
        return read_normaliser(arguments.bundle)
    name: str = arguments.normaliser or FOR_TRAINING
    find_normaliser(name)
    return name


def normaliser_of_model(name_or_folder: str | None) -> str:
    """Return the normaliser of a bundle, by name or folder, or of the run whose folder it is.

    Raises:
        BundleNotFoundError, BundleCorruptError: it is neither a bundle nor a run folder, or it cannot be read.
        ConfigError: the run folder does not name its normaliser.
    """
    from asr.bundle import read_normaliser
    from asr.run_record import read_setup
    from asr.text.normalisers import FOR_SCORING

    if name_or_folder is None or not (Path(name_or_folder) / "checkpoints").is_dir():
        return read_normaliser(name_or_folder)
    path = Path(name_or_folder) / "setup.json"
    if not path.is_file():
        return FOR_SCORING
    try:
        return read_setup(name_or_folder).normaliser
    except CheckpointError as fault:
        raise ConfigError(f"{path} does not say how its texts are written; name a --normaliser") from fault
