"""The verb ``asr lm tune``, which adds a language model to a bundle."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.numbers import whole_number
from asr.errors import ConfigError

if TYPE_CHECKING:
    from asr.data import Utterance
    from asr.tuning import Trial, Tuned


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``asr lm tune``."""
    parser.add_argument("bundle", metavar="BUNDLE", type=Path, help="folder of the bundle to change")
    parser.add_argument("dev", metavar="DEV.jsonl", help="a manifest that neither model was trained on")
    parser.add_argument("--lm", metavar="FILE", type=Path, help="a .lm file (default: that of the bundle, if any)")
    parser.add_argument("--lexicon", metavar="FILE", type=Path, help="pronouncing dictionary, from asr lexicon")
    parser.add_argument("--test", metavar="TEST.jsonl", help="also evaluate on this manifest, for the card")
    parser.add_argument("--speakers", metavar="NAME,NAME", help="use only these speakers of the manifest")
    parser.add_argument(
        "--beam_size", type=whole_number(1), metavar="N", help="prefixes kept (default: as many as the bundle keeps)"
    )
    parser.add_argument("--precision", choices=("int8", "float32"), help="default: int8 if the bundle has it")
    parser.add_argument(
        "--processes", type=whole_number(1), metavar="N", help="parallel trials (default: one for each core)"
    )


def work(arguments: argparse.Namespace) -> None:
    """Tune the weights, calibrate the confidence, write the bundle, and print the error rates."""
    if not (arguments.bundle / "bundle.json").is_file():
        raise ConfigError(f"{arguments.bundle} is no bundle's folder; asr export RUN -o FOLDER makes one")
    utterances = _utterances(arguments)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

    from asr.data import read_manifest
    from asr.inference import Decoding, load_model
    from asr.inference.decoding_options import refuse_other_writing
    from asr.lm import NgramModel
    from asr.text import read_lexicon
    from asr.tuning import dev_set, tune_bundle

    model = load_model(arguments.bundle, precision=arguments.precision, decoding=Decoding(beam_width=1))
    if arguments.lm:
        refuse_other_writing(arguments.lm, NgramModel.open(arguments.lm), model.bundle)
    if arguments.lm and model.bundle.pronunciations and not arguments.lexicon:
        print("no --lexicon: with another language model, the bundle will be decoded by characters", flush=True)
    tuned = tune_bundle(
        arguments.bundle,
        dev_set(model, utterances),
        arguments.lm or model.bundle.language_model,
        lexicon=read_lexicon(arguments.lexicon) if arguments.lexicon else None,
        beam_width=arguments.beam_size or model.bundle.decoder.beam_width,
        processes=arguments.processes,
        test=read_manifest(arguments.test) if arguments.test else (),
        tried=_show_trial,
    )
    _show(tuned, arguments.bundle)


def _utterances(arguments: argparse.Namespace) -> list[Utterance]:
    from asr.bundle import read_normaliser
    from asr.data import read_manifest
    from asr.text import normalise
    from asr.text.losses import find_losses

    normaliser = read_normaliser(arguments.bundle)
    wanted = arguments.speakers.split(",") if arguments.speakers else []
    everyone = read_manifest(arguments.dev)
    if unknown := set(wanted) - {u.speaker for u in everyone}:
        raise ConfigError(f"no utterance in {arguments.dev} is by {', '.join(sorted(unknown))}")
    kept = [u for u in everyone if not wanted or u.speaker in wanted]
    for loss in find_losses(((u.id, u.text) for u in kept), normaliser):
        print(f"not scored: {normaliser} loses {loss}", flush=True)
    references = [replace(u, text=normalise(u.text, normaliser)) for u in kept]
    if not any(u.text for u in references):
        raise ConfigError(f"no utterance of {arguments.dev} has a word that {normaliser} writes; nothing can be tuned")
    return references


def _show_trial(trial: Trial) -> None:
    weights = trial.weights
    print(
        f"alpha {weights.alpha:.2f}  beta {weights.beta:5.2f}  unknown {weights.unknown_score:6.1f}  "
        f"priors {weights.prior_scale:.2f}  "
        f"WER {100 * trial.wer:.2f} %  CER {100 * trial.cer:.2f} %",
        flush=True,
    )


def _show(tuned: Tuned, folder: Path) -> None:
    report = tuned.calibration
    print(f"without a language model: WER {100 * tuned.greedy[0]:.2f} %, CER {100 * tuned.greedy[1]:.2f} %")
    if tuned.by_phones and tuned.best:
        print("best by characters, for words that it lacks: ", end="")
        _show_trial(tuned.best)
    if kept := tuned.by_phones or tuned.best:
        print(f"best, and kept{', by phones' if tuned.by_phones else ''}: ", end="")
        _show_trial(kept)
    print(
        f"confidence: expected calibration error {report.error_before:.3f} before, {report.error_after:.3f} after, "
        f"measured on other speakers than fitted to ({report.words} words, {report.wrong} wrong)"
    )
    print(f"written to {folder}")
