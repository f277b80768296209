"""PocketSphinx, with the English model that it brings, on the utterances of a manifest: a peer's row for recipes.

    python -m venv peer && peer/bin/pip install . pocketsphinx
    peer/bin/python benchmarks/pocketsphinx.py MANIFEST -o HYPOTHESES.jsonl [--limit N]
    asr evaluate MANIFEST --hypotheses HYPOTHESES.jsonl

Each hypothesis is written as it comes, and what the file already holds is not decoded again. Prints the real-time
factor of what this run decoded: seconds of one processor and of the clock over seconds of audio, loading of the model
and reading of files not included.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

# This script has the library's name, and would be imported in its place.
sys.path[0] = str(Path(__file__).parents[1])

import numpy as np  # noqa: E402
from pocketsphinx import Decoder  # noqa: E402

from asr.audio import load_audio  # noqa: E402
from asr.data import Utterance, read_manifest  # noqa: E402
from asr.evaluation import read_hypotheses  # noqa: E402

SAMPLE_RATE = 16000


def main() -> None:
    """Decode what is not there yet, and print how fast that went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest")
    parser.add_argument("-o", "--output", type=Path, required=True, help="hypotheses, as asr evaluate -o writes them")
    parser.add_argument("--limit", type=int, help="decode at most so many utterances")
    arguments = parser.parse_args()
    done = read_hypotheses(arguments.output) if arguments.output.is_file() else {}
    left = [u for u in read_manifest(arguments.manifest) if u.id not in done][: arguments.limit]
    decoder = Decoder(samprate=SAMPLE_RATE, loglevel="FATAL")
    processor = clock = audio = 0.0
    with arguments.output.open("a", encoding="utf-8") as output:
        for utterance in left:
            samples = load_samples(utterance)
            begun = time.process_time(), time.perf_counter()
            text = decode(decoder, samples)
            processor, clock = processor + time.process_time() - begun[0], clock + time.perf_counter() - begun[1]
            audio += len(samples) / SAMPLE_RATE
            output.write(json.dumps({"id": utterance.id, "text": text}, ensure_ascii=False) + "\n")
            output.flush()
    if left:
        speed = f"real-time factor {processor / audio:.3f} of one processor, {clock / audio:.3f} of the clock"
        print(f"{len(left)} utterances, {audio:.0f} s of audio: {speed}")
    print(f"{len(done) + len(left)} hypotheses in {arguments.output}")


def load_samples(utterance: Utterance) -> np.ndarray:
    """The utterance (N,) int16, 16 kHz mono."""
    samples = load_audio(
        utterance.audio_filepath, SAMPLE_RATE, offset_s=utterance.offset, duration_s=utterance.duration
    )
    return (np.clip(samples, -1, 1) * 32767).astype(np.int16)


def decode(decoder: Decoder, samples: np.ndarray) -> str:
    """The whole utterance at once, so that the mean of its cepstra is its own."""
    decoder.start_utt()
    decoder.process_raw(samples.tobytes(), full_utt=True)
    decoder.end_utt()
    found = decoder.hyp()
    return found.hypstr if found else ""


if __name__ == "__main__":
    main()
