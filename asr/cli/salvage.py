"""The flag for recordings that are cut or damaged."""

from __future__ import annotations

import argparse


def add_salvage(parser: argparse.ArgumentParser) -> None:
    """Declare ``--salvage``."""
    parser.add_argument(
        "--salvage",
        action="store_true",
        help="keep what is good of recordings that are cut or damaged",
    )
