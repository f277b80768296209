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
    from asr.bundle import Bundle
    from asr.data import Utterance
    from asr.lm import Pronunciations
    from asr.tuning import Trial, Tuned
    from asr.tuning.confidence import ConfidenceReport


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``asr lm tune``."""
    parser.add_argument("bundle", metavar="BUNDLE", type=Path, help="folder of the bundle to change")
    parser.add_argument("dev", metavar="DEV.jsonl", help="a manifest that neither model was trained on")
    parser.add_argument(
        "--lm",
        metavar="FILE|BUNDLE",
        help="a .lm file, or a bundle to take language model and pronunciations from (default: its own, if any)",
    )
    parser.add_argument("--lexicon", metavar="FILE", type=Path, help="pronouncing dictionary, from asr lexicon")
    parser.add_argument("--test", metavar="TEST.jsonl", help="also evaluate on this manifest, for the card")
    parser.add_argument("--speakers", metavar="NAME,NAME", help="use only these speakers of the manifest")
    parser.add_argument(
        "--beam_size", type=whole_number(1), metavar="N", help="prefixes kept (default: as many as the bundle keeps)"
    )
    parser.add_argument(
        "--confidence", action="store_true", help="fit confidence alone; language model and weights stay as they are"
    )
    parser.add_argument("--precision", choices=("int8", "float32"), help="default: int8 if the bundle has it")
    parser.add_argument(
        "--processes", type=whole_number(1), metavar="N", help="parallel trials (default: one for each core)"
    )


def work(arguments: argparse.Namespace) -> None:
    """Tune the weights, calibrate the confidence, write the bundle, and print the error rates."""
    if not (arguments.bundle / "bundle.json").is_file():
        raise ConfigError(f"{arguments.bundle} is no bundle's folder; asr export RUN -o FOLDER makes one")
    others = ("lm", "lexicon", "test", "beam_size")
    if arguments.confidence and (given := [f"--{name}" for name in others if getattr(arguments, name) is not None]):
        raise ConfigError(f"--confidence leaves the decoder as it is; leave {', '.join(given)} out")
    utterances = _utterances(arguments)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

    from asr.data import read_manifest
    from asr.inference import Decoding, load_model
    from asr.text import read_lexicon
    from asr.tuning import CONDITIONS, dev_set, refit_confidence, tune_bundle

    model = load_model(arguments.bundle, precision=arguments.precision, decoding=Decoding(beam_width=1))
    if arguments.confidence:
        recorded, altered = dev_set(model, utterances), dev_set(model, utterances, CONDITIONS)
        _show_confidence(refit_confidence(arguments.bundle, recorded, [altered]))
        print(f"written to {arguments.bundle}")
        return
    language_model, pronunciations = _language_model(arguments, model.bundle)
    if arguments.lm and model.bundle.pronunciations and not (arguments.lexicon or pronunciations):
        print("no --lexicon: with another language model, the bundle will be decoded by characters", flush=True)
    tuned = tune_bundle(
        arguments.bundle,
        dev_set(model, utterances),
        language_model,
        altered=[dev_set(model, utterances, CONDITIONS)],
        pronunciations=pronunciations,
        lexicon=read_lexicon(arguments.lexicon) if arguments.lexicon else None,
        beam_width=arguments.beam_size or model.bundle.decoder.beam_width,
        processes=arguments.processes,
        test=read_manifest(arguments.test) if arguments.test else (),
        tried=_show_trial,
    )
    _show(tuned, arguments.bundle)


def _language_model(arguments: argparse.Namespace, bundle: Bundle) -> tuple[Path | None, Pronunciations | None]:
    """Return the language model that is asked for, and how its words are said where a bundle that has it knows.

    Raises:
        ConfigError: the named bundle has no language model, or the words are written otherwise than in ``bundle``.
        BundleNotFoundError: ``--lm`` is neither a file nor a bundle.
    """
    from asr.bundle import load_bundle
    from asr.inference.decoding_options import refuse_other_writing
    from asr.lm import NgramModel

    if arguments.lm is None:
        return bundle.language_model, None
    path, pronunciations = Path(arguments.lm), None
    if not path.is_file() and path.suffix != ".lm":
        other = load_bundle(arguments.lm)
        if other.language_model is None:
            raise ConfigError(f"{other.path} has no language model; name a .lm file or a bundle that has one")
        path = other.language_model
        if bundle.phones is not None and bundle.phones == other.phones and not arguments.lexicon:
            pronunciations = other.pronunciations
    refuse_other_writing(path, NgramModel.open(path), bundle)
    return path, pronunciations


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
    from asr.tuning.tune import BY_CHARACTERS, BY_PHONES, GREEDY

    print(f"without a language model: WER {100 * tuned.greedy[0]:.2f} %, CER {100 * tuned.greedy[1]:.2f} %")
    for way, trial in ((BY_CHARACTERS, tuned.best), (BY_PHONES, tuned.by_phones)):
        if trial is not None:
            print(f"best {way}: ", end="")
            _show_trial(trial)
    if tuned.best is None:
        print("kept: no language model, none was given")
    elif tuned.way == GREEDY:
        print("kept: no language model, as this one does not bring fewer errors; give it text more like what is said")
    else:
        print(f"kept: {tuned.way}")
    _show_confidence(tuned.confidence)
    print(f"written to {folder}")


def _show_confidence(report: ConfidenceReport) -> None:
    from asr.tuning.confidence import SPEAKERS

    if not report.words:
        print("confidence: no word was found, so nothing says how far to trust one")
        return
    if report.recorded is None:
        print(f"confidence: fitted to {report.words} words of one utterance, too few to measure it on others")
        return
    few = "" if report.measured_on == SPEAKERS else " (one speaker: of others nothing is known)"
    print(f"confidence, measured on {report.measured_on} that it was not fitted to{few}:")
    for name, error in (("as recorded", report.recorded), ("in rooms, by telephone, in noise", report.altered)):
        if error is not None:
            area = "" if error.roc_area is None else f", area under the ROC curve {error.roc_area:.3f}"
            print(
                f"  {name}: expected calibration error {error.before:.3f} before, {error.calibration:.3f} after{area} "
                f"({error.words} words, {error.wrong} wrong)"
            )
