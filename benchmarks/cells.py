"""Plain RNN, LSTM and GRU with as many parameters, on digits by unheard speakers: a table in benchmarks/README.md.

    python benchmarks/cells.py FOLDER_OF_FSDD [--epochs 15]

Each cell runs the whole recipe `fsdd`, one model for each of the six speakers held out, with the same settings but for
the cell and its width. What is done is skipped, so the same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from tables import write_table

UNITS = {"rnn": 210, "lstm": 96, "gru": 113}
"""The width of each of two layers that gives as many parameters as the recipe's own LSTM, to 2 %."""


def main() -> None:
    """Train, evaluate, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=15)
    arguments = parser.parse_args()
    rows = []
    for cell, units in UNITS.items():
        run = Path("runs") / f"cells-{arguments.epochs}" / cell
        settings = [f"model.cell={cell}", f"model.units=[{units},{units}]", f"trainer.epochs={arguments.epochs}"]
        command = [sys.executable, "-m", "asr", "recipe", "fsdd", "--data", str(arguments.folder), "--run", str(run)]
        subprocess.run([*command, *settings], check=True)
        results = json.loads((run / "results.json").read_text(encoding="utf-8"))
        rows.append((cell.upper(), units, results))
    write_table("cells.py", page(rows, arguments.epochs))


def page(rows: list[tuple[str, int, dict]], epochs: int) -> str:
    """The text between the markers."""
    made = rows[0][2]
    lines = [
        f"`python benchmarks/cells.py`: recipe fsdd, {epochs} epochs, 3000 words by speakers held out; time is of "
        "training all six models.\n",
        "| cell | units | parameters | WER | CER | minutes |",
        "|---|---|---|---|---|---|",
    ]
    for cell, units, results in rows:
        (system,) = results["systems"].values()
        errors = " | ".join(_rate(system[kind]) for kind in ("wer", "cer"))
        lines.append(
            f"| {cell} | 2×{units} | {results['parameters']:,} | {errors} | {results['training_minutes']:.1f} |"
        )
    return "\n".join([*lines, f"\n{made['hardware']}, commit {made['commit']}, {made['date']}."])


def _rate(rate: dict) -> str:
    low, high = rate["interval"]["low"], rate["interval"]["high"]
    return f"{100 * rate['rate']:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


if __name__ == "__main__":
    main()
