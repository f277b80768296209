"""Score a model, or hypotheses made before, against references.

asr evaluate test.jsonl                              transcribe with the default bundle, and score
asr evaluate test.jsonl --model BUNDLE               ... with this bundle, by name or path
asr evaluate test.jsonl --beam_size 1                ... by its best path, without its language model
asr evaluate test.jsonl --model RUN                  ... with the checkpoints of a training run's folder
asr evaluate test.jsonl --hypotheses found.jsonl     score what -o kept: {"id": "...", "text": "..."} a line
asr evaluate reference.txt hypothesis.txt            line by line
asr evaluate reference.txt hypothesis.txt --ids      each line starts with its id
asr evaluate reference.trn hypothesis.trn            each line ends with its id: TEXT (ID)
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.decoding import add_decoding_arguments, decoding_flags, load_model_for
from asr.cli.numbers import whole_number
from asr.errors import AsrError, ConfigError, MissingExtraError

if TYPE_CHECKING:
    from asr.data import Utterance
    from asr.evaluation import Evaluation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``asr evaluate``."""
    parser.add_argument("reference", metavar="REFERENCE", help="a manifest (JSON Lines), or a text file")
    parser.add_argument("hypothesis", metavar="HYPOTHESIS", nargs="?", help="a text file laid out the same")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--model", metavar="BUNDLE_OR_RUN", help="what transcribes (default: as asr transcribe)")
    source.add_argument("--hypotheses", metavar="FILE.jsonl", help="score these texts; nothing is transcribed")
    parser.add_argument("-o", "--output", metavar="FILE.jsonl", help="keep what the model wrote")
    parser.add_argument("--ids", action="store_true", help="text files: each line starts with its id")
    parser.add_argument(
        "--speakers", action="store_true", help="text files: ids start with the speaker, before the first - or _"
    )
    parser.add_argument(
        "--normaliser",
        metavar="NAME",
        default="upper_letters",
        help="upper_letters (default), whisper (Whisper's, English) or verbatim, which is shown in any case",
    )
    parser.add_argument("--worst", metavar="N", type=whole_number(0), default=5, help="utterances to align (default 5)")
    parser.add_argument("--seed", type=whole_number(0), default=0, help="of the bootstrap (default 0)")
    parser.add_argument("--json", action="store_true", help="the result as JSON on standard output")
    parser.add_argument("--precision", choices=("int8", "float32"), help="of a bundle (default: int8 where it has it)")
    parser.set_defaults(threads=0)
    add_decoding_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Score, and print the result.

    Returns:
        0, also where some files failed: they are counted and listed.

    Raises:
        ConfigError: arguments that do not go together, or a normaliser nobody knows.
        AsrError: as reading, transcribing and scoring raise it.
    """
    from asr.text import normalise

    normalise("", arguments.normaliser)
    _refuse_misfits(arguments)
    evaluation = _evaluation(arguments)
    if arguments.json:
        print(json.dumps(_to_json(arguments, evaluation), ensure_ascii=False, indent=1))
    else:
        _print(evaluation, arguments.worst)
    return 0


def _refuse_misfits(arguments: argparse.Namespace) -> None:
    texts = arguments.hypothesis is not None
    if texts and (arguments.model or arguments.hypotheses):
        raise ConfigError("two text files are scored as they are; leave --model and --hypotheses out")
    if (texts or arguments.hypotheses) and (given := decoding_flags(arguments)):
        raise ConfigError(f"nothing is decoded here; leave {', '.join(given)} out")
    if arguments.output and (texts or arguments.hypotheses):
        raise ConfigError("-o keeps what a model writes, and no model is asked here; leave it out")
    if arguments.output and Path(arguments.output).is_dir():
        raise ConfigError(f"-o needs a file to write, and {arguments.output} is a folder")
    if not texts and (arguments.ids or arguments.speakers):
        raise ConfigError("--ids and --speakers describe two text files, and only one file came")


def _evaluation(arguments: argparse.Namespace) -> Evaluation:
    from asr.evaluation import evaluate, read_text_pair

    if arguments.hypothesis is not None:
        references, texts = read_text_pair(
            arguments.reference, arguments.hypothesis, ids=arguments.ids, speakers=arguments.speakers
        )
        return evaluate(references, texts, arguments.normaliser, seed=arguments.seed)
    from asr.data import read_manifest

    utterances = read_manifest(arguments.reference)
    return evaluate(utterances, _hypotheses(arguments, utterances), arguments.normaliser, seed=arguments.seed)


def _hypotheses(arguments: argparse.Namespace, utterances: list[Utterance]) -> dict[str, str | AsrError]:
    from asr.evaluation import read_hypotheses, write_hypotheses

    if arguments.hypotheses:
        return read_hypotheses(arguments.hypotheses)
    texts = _transcribe(arguments, utterances)
    found = {utterance.id: text for utterance, text in zip(utterances, texts, strict=True)}
    if arguments.output:
        write_hypotheses(arguments.output, found)
    return found


def _transcribe(arguments: argparse.Namespace, utterances: list[Utterance]) -> Sequence[str | AsrError]:
    if arguments.model is not None and (Path(arguments.model) / "checkpoints").is_dir():
        if decoding_flags(arguments) or arguments.precision:
            raise ConfigError(
                f"{arguments.model} is a training run, read by its best path; export it to decode otherwise"
            )
        return _transcribe_with_checkpoint(arguments.model, utterances)
    return list(_watched(load_model_for(arguments).transcribe_utterances(utterances), len(utterances)))


def _transcribe_with_checkpoint(run_folder: str, utterances: list[Utterance]) -> list[str | AsrError]:
    try:
        from asr.training.evaluate import transcribe_with_checkpoint
    except ModuleNotFoundError as missing:
        raise MissingExtraError(
            f"{run_folder} holds checkpoints, which need TensorFlow ({missing}): "
            "pip install 'asr[train]', or export the run and evaluate its bundle"
        ) from missing
    return transcribe_with_checkpoint(run_folder, utterances)


def _watched(texts: Iterable[str | AsrError], total: int) -> Iterable[str | AsrError]:
    """``texts``, with a progress bar on standard error where that is a terminal."""
    from rich.console import Console
    from rich.progress import track

    return track(texts, "transcribing", total, console=Console(stderr=True), disable=not sys.stderr.isatty())


def _to_json(arguments: argparse.Namespace, evaluation: Evaluation) -> dict[str, object]:
    names = ("reference", "hypothesis", "hypotheses", "model")
    return {name: getattr(arguments, name) for name in names} | evaluation.to_json(arguments.worst)


def _print(evaluation: Evaluation, worst: int) -> None:
    from rich.console import Console

    from asr.evaluation.console import print_evaluation

    print_evaluation(evaluation, Console(width=None if sys.stdout.isatty() else 110), worst)
