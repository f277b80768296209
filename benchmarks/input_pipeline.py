"""How fast utterances become batches, as a table in benchmarks/README.md.

    python benchmarks/input_pipeline.py MANIFEST... [--seconds 1800] [--runs 5]

Cold is decoding, features and the writing of a new cache; from cache is an epoch of batches as a trainer takes them:
mapped features, normalised, augmented (conf/augment/small_corpus.yaml), padded. Processes start together, each on its
part of the corpus when cold, each on all of it from cache. A core's figure is audio over processor time, so that other
work on the machine does not count.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np
from tables import write_table

from asr.cli.composing import compose, options_of
from asr.data import Utterance, read_manifest
from asr.provenance import provenance

Rates = tuple[float, float, float]
"""Audio-seconds a second, audio-seconds a processor second, share of padding."""

together: Barrier


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifests", type=Path, nargs="+")
    parser.add_argument("--seconds", type=float, default=1800, help="of each manifest, every n-th utterance")
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    corpora = {f"{p.parent.name}/{p.stem}": thinned(p, arguments.seconds) for p in arguments.manifests}
    with tempfile.TemporaryDirectory() as folder:
        rows = [row for count in (1, 2) for row in measured(corpora, Path(folder), count, arguments.runs)]
    made = provenance()
    text = (
        f"`python benchmarks/input_pipeline.py`, batches of 120 s, augmentation of `small_corpus`, "
        f"median of {arguments.runs} runs.\n\n"
        "| corpus | from | processes | audio s / s | audio s / s a core | padding |\n|---|---|---|---|---|---|\n"
        + "\n".join(sorted(rows))
        + f"\n\n{made['hardware']}, Python {made['python']}, commit {made['commit']}, {made['date']}."
    )
    write_table("input_pipeline.py", text)


def thinned(manifest: Path, seconds: float) -> list[Utterance]:
    """Every n-th utterance, ``seconds`` or a little more of them."""
    utterances = read_manifest(manifest)
    return utterances[:: max(1, int(sum(u.duration for u in utterances) / seconds))]


def measured(corpora: Mapping[str, Sequence[Utterance]], folder: Path, count: int, runs: int) -> list[str]:
    """The rows for ``count`` processes."""
    context = multiprocessing.get_context("spawn")
    rows = []
    with ProcessPoolExecutor(count, context, initializer=start, initargs=(context.Barrier(count),)) as pool:
        for name, utterances in corpora.items():
            for source, job in (("cold", cold), ("from cache", from_cache)):
                jobs = [pool.submit(job, utterances, folder / name, runs, place, count) for place in range(count)]
                medians = [[statistics.median(column) for column in zip(*j.result(), strict=True)] for j in jobs]
                rates, cores, padding = zip(*medians, strict=True)
                rows.append(
                    f"| {name}, {sum(u.duration for u in utterances):.0f} s | {source} | {count} | {sum(rates):,.0f} "
                    f"| {statistics.mean(cores):,.0f} | {f'{100 * padding[0]:.1f} %' if padding[0] else ''} |"
                )
    return rows


def start(barrier: Barrier) -> None:
    """Import what is heavy, and have the barrier."""
    import asr.training.run  # noqa: F401

    global together
    together = barrier


def cold(utterances: Sequence[Utterance], folder: Path, runs: int, place: int, count: int) -> list[Rates]:
    """Features of every ``count``-th utterance, into a new cache each run."""
    from asr.training.dataset import compute_features

    part = utterances[place::count]
    front_end = options()[0]
    return [
        timed(lambda run=run: compute_features(part, front_end, folder / f"{count}-{run}"), part) for run in range(runs)
    ]


def from_cache(utterances: Sequence[Utterance], folder: Path, runs: int, place: int, count: int) -> list[Rates]:
    """Epochs of batches of all ``utterances``."""
    from asr.features import UtteranceCmvn
    from asr.training.dataset import Example, TrainingSet, compute_features

    front_end, transforms, batch_frames = options()
    features = compute_features(utterances, front_end, folder / "1-0")
    labels = np.ones(30, np.int32)
    examples = [Example(u, f, labels, UtteranceCmvn()) for u, f in zip(utterances, features, strict=True)]
    training_set = TrainingSet(examples, batch_frames, 0, transforms, [0] * len(examples))

    def epoch(number: int) -> float:
        frames = padded = 0
        for batch in training_set.batches(number):
            frames += int(batch.feature_lengths.sum())
            padded += batch.features.shape[0] * batch.features.shape[1]
        return 1 - frames / padded

    return [timed(lambda run=run: epoch(run), utterances) for run in range(runs)]


def timed(work: Callable[[], object], utterances: Sequence[Utterance]) -> Rates:
    """Rates of ``work`` on ``utterances``, begun when every process is ready."""
    together.wait()
    wall, processor = time.perf_counter(), time.process_time()
    result = work()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    audio = sum(u.duration for u in utterances)
    return audio / wall, audio / processor, result if isinstance(result, float) else 0.0


def options() -> tuple:
    """Front end, transforms and frames of a batch, as ``asr train augment=small_corpus`` has them."""
    from asr.features import freeze

    chosen = options_of(compose(["augment=small_corpus", "data.train=[]"]))
    front_end = freeze(chosen.features)
    rate = front_end.sample_rate / front_end.hop_length
    return front_end, chosen.augment.transforms(front_end), chosen.data.batch_s * rate


if __name__ == "__main__":
    main()
