"""Six languages through the whole line by the command line: prepare, pre-flight, train, export, transcribe, evaluate.

python benchmarks/languages.py ../shared/data/cv-6.1-other-languages --work /tmp/languages

Each has 25 clips of Common Voice, far too few to learn a language from. A tiny model takes a few steps; what counts is
that each stage reads and writes the script. A Markdown table is printed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

NORMALISERS = {"de": "letters", "fr": "letters", "ru": "letters", "tr": "turkish", "ar": "arabic", "zh-CN": "letters"}


def asr(*arguments: object, code: int = 0) -> str:
    """Run the command; its standard output, or standard error where it is to fail."""
    done = subprocess.run([sys.executable, "-m", "asr", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != code:
        sys.exit(f"asr {' '.join(map(str, arguments))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stderr if code else done.stdout


def through(corpus: Path, work: Path, normaliser: str) -> list[str]:
    """Take one language through all stages; its row of the table."""
    manifest, run, bundle = work / "manifests" / "validated.jsonl", work / "run", work / "bundle"
    asr("prepare", "common_voice", corpus, "-o", manifest.parent)
    settings = [f"data.train=[{manifest}]", "data.cache_dir=null", "model.units=[32]"]
    first = json.loads(manifest.read_text(encoding="utf-8").splitlines()[0])
    digit = work / "manifests" / "digit.jsonl"
    digit.write_text(json.dumps(first | {"text": f"{first['text']} 7"}) + "\n", encoding="utf-8")
    refused = asr(
        "train", *settings, f"data.normaliser={normaliser}", f"run_dir={run}", f"data.train=[{digit}]", code=1
    )
    log = asr("train", *settings, f"data.normaliser={normaliser}", f"run_dir={run}", "trainer.epochs=2")
    losses = [line.split()[3] for line in log.splitlines() if line.startswith("epoch")]
    asr("export", run, "-o", bundle)
    text = asr("transcribe", corpus / "clips" / Path(first["audio_filepath"]).name, "--model", bundle).strip()
    found = json.loads(asr("evaluate", manifest, "--model", bundle, "--json"))
    characters = len(json.loads((bundle / "vocabulary.json").read_text(encoding="utf-8"))["characters"])
    return [
        normaliser,
        "yes" if "digits: 1 (7)" in refused else "no",
        str(characters),
        " → ".join(losses),
        f"{100 * found['wer']['rate']:.1f} ({found['wer']['reference_length']})",
        f"{100 * found['cer']['rate']:.1f} ({found['cer']['reference_length']})",
        text[:20],
    ]


def main() -> None:
    """Take every language through, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path, help="the folder of the six corpora")
    parser.add_argument("--work", type=Path, required=True, help="where manifests, runs and bundles go")
    parser.add_argument("--only", nargs="+", default=list(NORMALISERS), choices=NORMALISERS, help="these languages")
    arguments = parser.parse_args()
    print("| language | normaliser | 7 refused | characters | loss | WER % (N) | CER % (N) | a clip reads |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for language in arguments.only:
        row = through(arguments.corpora / language, arguments.work / language, NORMALISERS[language])
        print(f"| {' | '.join([language, *row])} |", flush=True)


if __name__ == "__main__":
    main()
