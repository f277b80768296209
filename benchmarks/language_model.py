"""How long a language model takes to train, what it weighs and how it foretells, as a table in benchmarks/README.md.

    python benchmarks/language_model.py TEXT... [--prose] [--order 3] [--sizes 8 5]

Every 50th sentence is held out of training and measures the perplexity. Each model is trained in a process of its own,
reading of the text included, for its peak memory; one unpruned, and one for each size in million bytes. Queries are 64
words a call, each in its place of the text held out, as a beam asks; opening is a model's first answer after its file
was opened, from the page cache.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from tables import write_table

from asr.lm import NgramModel, perplexity, read_sentences, train_ngram
from asr.provenance import provenance

HELD_OUT = 50
BEAM = 64


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", type=Path, nargs="+")
    parser.add_argument("--prose", action="store_true")
    parser.add_argument("--order", type=int, default=3)
    parser.add_argument("--sizes", type=float, nargs="*", default=[8.0, 5.0], help="million bytes")
    arguments = parser.parse_args()
    held_out = [s for n, s in enumerate(sentences(arguments.texts, arguments.prose)) if n % HELD_OUT == 0]
    with tempfile.TemporaryDirectory() as folder:
        rows = [row(arguments, size, held_out, Path(folder) / f"{size}.lm") for size in (None, *arguments.sizes)]
    made = provenance()
    text = (
        f"`python benchmarks/language_model.py`, order {arguments.order}, every {HELD_OUT}th sentence held out.\n\n"
        "| model | n-grams by order | training, s | peak memory, GB | file, MB | opening, ms "
        "| perplexity | without unknown | queries a second |\n|---|---|---|---|---|---|---|---|---|\n"
        + "\n".join(rows)
        + f"\n\n{made['hardware']}, Python {made['python']}, commit {made['commit']}, {made['date']}."
    )
    write_table("language_model.py", text)


def sentences(texts: list[Path], prose: bool) -> Iterator[str]:
    """One by one, of all files."""
    for path in texts:
        for block in read_sentences(path, prose=prose):
            yield from filter(str.strip, block.split("\n"))


def row(arguments: argparse.Namespace, size: float | None, held_out: list[str], path: Path) -> str:
    """Train one model, and measure it."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        seconds, memory = pool.submit(train, arguments, size, path).result()
    opening = statistics.median(first_answer(path) for _ in range(9))
    model = NgramModel.open(path)
    found = perplexity(model, held_out)
    counts = " + ".join(f"{count:,}" for count in model.counts)
    return (
        f"| {'whole' if size is None else f'at most {size:g} MB'} | {counts} | {seconds:.0f} | {memory:.2f} "
        f"| {path.stat().st_size / 1e6:.1f} | {1000 * opening:.1f} | {found.including_unknown:.1f} "
        f"| {found.excluding_unknown:.1f} | {queries(model, held_out):,.0f} |"
    )


def train(arguments: argparse.Namespace, size: float | None, path: Path) -> tuple[float, float]:
    """Seconds, and peak memory in GB."""
    start = time.perf_counter()
    kept = (s for n, s in enumerate(sentences(arguments.texts, arguments.prose)) if n % HELD_OUT)
    train_ngram(kept, arguments.order, size=None if size is None else int(size * 1e6)).save(path)
    return time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def first_answer(path: Path) -> float:
    """Seconds from a path to a probability."""
    start = time.perf_counter()
    model = NgramModel.open(path)
    model.score_end(np.array([model.start]))
    return time.perf_counter() - start


def queries(model: NgramModel, held_out: list[str]) -> float:
    """A second; the states of a text read side by side in 64 places."""
    ids = model.word_ids(" ".join(held_out[:5000]).split())
    words = ids[: len(ids) // BEAM * BEAM].reshape(BEAM, -1).T.copy()
    states = np.full(BEAM, model.start)
    seconds = []
    for column in words:
        start = time.perf_counter()
        _, states = model.score(states, column)
        seconds.append(time.perf_counter() - start)
    return BEAM / statistics.median(seconds)


if __name__ == "__main__":
    main()
