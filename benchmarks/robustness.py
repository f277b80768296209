"""What noise, voices, a room and a telephone cost in words, as a table in benchmarks/README.md.

    python benchmarks/robustness.py MANIFEST [NAME=]BUNDLE … --noise DATA/ESC-10 [--voices MANIFEST]

Each condition alters every utterance by the transforms that training uses (asr.data.augment), with one seed, so all
bundles hear the same. Noise that a bundle was trained with says little: leave a part for the test, such as
``--noise "DATA/ESC-10/*/5-*"``. Babble is of three to seven other utterances of the manifest, or of ``--voices``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from tables import write_table

from asr.audio import load_audio
from asr.data import Utterance, read_manifest
from asr.data.augment import Alteration, Step, find_recordings
from asr.data.augment.additive_noise import AdditiveNoise
from asr.data.augment.babble import Babble
from asr.data.augment.simulated_room import SimulatedRoom
from asr.data.augment.telephone import Telephone
from asr.errors import AsrError
from asr.evaluation import Evaluation, evaluate
from asr.inference import Transcriber, load_model
from asr.provenance import provenance

RATE = 16_000
SNRS_DB = (20.0, 10.0, 0.0)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path, help="utterances to be read")
    parser.add_argument("bundles", nargs="+", metavar="[NAME=]BUNDLE")
    parser.add_argument("--noise", nargs="+", required=True, metavar="PATH", help="folders or manifests of noise")
    parser.add_argument("--voices", nargs="+", metavar="PATH", help="speech for babble (default: the manifest)")
    parser.add_argument("--most", type=int, help="of the utterances, evenly chosen, to try it")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    utterances = read_manifest(arguments.manifest)
    noise = find_recordings("--noise", arguments.noise)
    voices = find_recordings("--voices", arguments.voices or [str(arguments.manifest)])
    if arguments.most:
        utterances = utterances[:: max(len(utterances) // arguments.most, 1)][: arguments.most]
    models = dict(map(named_model, arguments.bundles))
    columns = {
        name: [rate(heard(model, utterances, alteration)) for alteration in conditions(noise, voices, arguments.seed)]
        for name, model in models.items()
    }
    text = table(columns, f"{arguments.manifest.parent.name}/{arguments.manifest.stem}", len(utterances))
    write_table("robustness.py", f"{text}\n\n{made(arguments.seed)}")


def named_model(argument: str) -> tuple[str, Transcriber]:
    """``NAME=BUNDLE``, or a bundle by its own name."""
    name, _, path = argument.rpartition("=")
    model = load_model(path)
    return name or model.bundle.card.name, model


def conditions(noise: tuple[Utterance, ...], voices: tuple[Utterance, ...], seed: int) -> list[Alteration]:
    """What is done to the speech, nothing first."""
    steps: list[Step] = [
        *(Step(f"noise at {snr:.0f} dB", AdditiveNoise(noise, (snr, snr))) for snr in SNRS_DB),
        *(Step(f"babble at {snr:.0f} dB", Babble(voices, (snr, snr))) for snr in SNRS_DB),
        Step("in a room", SimulatedRoom()),
        Step("by telephone", Telephone()),
    ]
    return [Alteration((), seed), *(Alteration((step,), seed) for step in steps)]


def heard(model: Transcriber, utterances: Sequence[Utterance], alteration: Alteration) -> Evaluation:
    """The words that ``model`` reads in the altered utterances, scored."""
    return evaluate(utterances, {u.id: text_of(model, u, alteration) for u in utterances}, model.bundle.normaliser)


def text_of(model: Transcriber, utterance: Utterance, alteration: Alteration) -> str | AsrError:
    """One utterance, altered and read."""
    span = {"offset_s": utterance.offset, "duration_s": utterance.duration}
    try:
        samples = load_audio(utterance.audio_filepath, RATE, **span)
        return model.transcribe(alteration(samples, RATE, utterance.id, 0), RATE).text
    except AsrError as error:
        return error


def rate(evaluation: Evaluation) -> str:
    """Per cent of words wrong, and the interval."""
    words = evaluation.normalised.words
    interval = f" ({100 * words.interval.low:.1f} to {100 * words.interval.high:.1f})" if words.interval else ""
    return f"{100 * words.errors.rate:.1f}{interval}"


def table(columns: dict[str, list[str]], corpus: str, utterances: int) -> str:
    """Conditions down, bundles across."""
    names = ["as recorded", *(a.steps[0].name for a in conditions((), (), 0)[1:])]
    rows = ["| " + " | ".join(row) + " |" for row in zip(names, *columns.values(), strict=True)]
    return "\n".join(
        [
            f"`python benchmarks/robustness.py`: {utterances} utterances of {corpus}, per cent of words wrong, and its "
            "95 % interval by bootstrap over speakers.",
            "",
            f"| the speech is heard | {' | '.join(columns)} |",
            "|---" * (len(columns) + 1) + "|",
            *rows,
        ]
    )


def made(seed: int) -> str:
    """Where the numbers come from."""
    origin = provenance(seed)
    return f"{origin['hardware']}, Python {origin['python']}, commit {origin['commit']}, seed {seed}, {origin['date']}."


if __name__ == "__main__":
    main()
