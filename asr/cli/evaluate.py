"""Evaluate a model, or existing hypotheses, against references.

asr evaluate test.jsonl                              transcribe with the default bundle, and score
asr evaluate test.jsonl --model BUNDLE               ... with this bundle, by name or path
asr evaluate test.jsonl --beam_size 1                ... by its best path, without a language model
asr evaluate test.jsonl --model RUN                  ... with the checkpoints of a training run's folder
asr evaluate test.jsonl --hypotheses found.jsonl     score hypotheses that -o wrote: {"id": "...", "text": "..."} a line
asr evaluate test.jsonl --report out.html            ... and write a page with alignments, audio, spectrograms
asr evaluate test.jsonl --report out.html --beside NAME=other.jsonl     ... beside another system's hypotheses
asr evaluate reference.txt hypothesis.txt            line by line
asr evaluate reference.txt hypothesis.txt --ids      each line starts with its id
asr evaluate reference.trn hypothesis.trn            each line ends with its id: TEXT (ID)
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.decoding import add_decoding_arguments, decoding_flags, load_model_for
from asr.cli.main import report
from asr.cli.normaliser import add_normaliser, normaliser_of_model
from asr.cli.numbers import whole_number
from asr.cli.outputs import refuse_overwriting
from asr.cli.progress import table_console, watched
from asr.cli.salvage import add_salvage
from asr.errors import AsrError, ConfigError, EvaluationError, MissingExtraError
from asr.files import to_json

if TYPE_CHECKING:
    from asr.data import Utterance
    from asr.evaluation import Evaluation
    from asr.evaluation.hypotheses import HypothesisWord
    from asr.evaluation.report import System
    from asr.evaluation.text_files import TextReference
    from asr.inference.transcript import Transcript


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``asr evaluate``."""
    parser.add_argument("reference", metavar="REFERENCE", help="a manifest (JSON Lines), or a text file")
    parser.add_argument("hypothesis", metavar="HYPOTHESIS", nargs="?", help="a text file with the same layout")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--model", metavar="BUNDLE_OR_RUN", help="the model (default: as for asr transcribe)")
    source.add_argument("--hypotheses", metavar="FILE.jsonl", help="score these hypotheses; nothing is transcribed")
    parser.add_argument("-o", "--output", metavar="FILE.jsonl", help="write the model's hypotheses to this file")
    parser.add_argument("--ids", action="store_true", help="text files: each line starts with its id")
    parser.add_argument(
        "--speakers", action="store_true", help="text files: ids start with the speaker, before the first - or _"
    )
    add_normaliser(parser, "the model's own; of texts letters_and_digits; verbatim is shown in any case")
    parser.add_argument("--worst", metavar="N", type=whole_number(0), default=5, help="utterances to align (default 5)")
    parser.add_argument("--seed", type=whole_number(0), default=0, help="seed of the bootstrap (default 0)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--precision", choices=("int8", "float32"), help="of a bundle (default: int8 if it has one)")
    add_salvage(parser)
    parser.set_defaults(threads=0)
    page = parser.add_argument_group("page")
    page.add_argument("--report", metavar="FILE.html", help="write a page with all results, which needs no network")
    page.add_argument(
        "--beside",
        metavar="NAME=FILE.jsonl",
        action="append",
        default=[],
        help="also show another system's hypotheses for the same manifest; may be repeated",
    )
    page.add_argument(
        "--report_audio",
        metavar="N",
        type=whole_number(0),
        help="number of recordings in the page, most errors first (default: as many as fit in 15 MB)",
    )
    add_decoding_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, and print the result.

    Returns:
        0, even if some recordings failed: they are counted and listed. 1 if all failed, or a file cannot be written.

    Raises:
        ConfigError: the arguments contradict each other, or no normaliser has this name.
        AsrError: a file cannot be read, transcribed or scored.
    """
    from asr.text import find_normaliser

    if arguments.normaliser is not None:
        find_normaliser(arguments.normaliser)
    _refuse_misfits(arguments)
    arguments.normaliser = arguments.normaliser or _own_normaliser(arguments)
    task = _task(arguments)
    lost = arguments.output is not None and not _hypotheses_written(arguments, task)
    evaluation = task.evaluate(arguments)
    if arguments.json:
        print(to_json(_result(arguments, evaluation), indent=1))
    else:
        _print(evaluation, arguments.worst)
    if arguments.report:
        _write_report(arguments, task, evaluation)
    return int(lost or all(isinstance(text, AsrError) for text in task.texts.values()))


def _hypotheses_written(arguments: argparse.Namespace, task: _Task) -> bool:
    """Write the hypotheses; report it if that fails, so that their score, which may be hours of work, is not lost."""
    from asr.evaluation import write_hypotheses

    try:
        write_hypotheses(arguments.output, task.texts, task.words, arguments.normaliser)
    except EvaluationError as fault:
        report(fault)
        return False
    return True


def _own_normaliser(arguments: argparse.Namespace) -> str:
    """Return the normaliser that belongs to what is scored: the model's, or the one that kept hypotheses were of."""
    from asr.text.normalisers import FOR_SCORING

    if arguments.hypothesis is not None:
        return FOR_SCORING
    if arguments.hypotheses:
        from asr.evaluation.hypotheses import read_hypotheses_normaliser

        return read_hypotheses_normaliser(arguments.hypotheses) or FOR_SCORING
    return normaliser_of_model(arguments.model)


def _refuse_misfits(arguments: argparse.Namespace) -> None:
    texts = arguments.hypothesis is not None
    if texts and (arguments.model or arguments.hypotheses):
        raise ConfigError("two text files are scored as they are; leave --model and --hypotheses out")
    if (texts or arguments.hypotheses) and (given := decoding_flags(arguments)):
        raise ConfigError(f"nothing is decoded here; leave {', '.join(given)} out")
    if (texts or arguments.hypotheses) and arguments.salvage:
        raise ConfigError("no recordings are transcribed here; leave --salvage out")
    if arguments.output and (texts or arguments.hypotheses):
        raise ConfigError("-o keeps what a model writes, and no model is asked here; leave it out")
    for flag, path in (("-o", arguments.output), ("--report", arguments.report)):
        if path and Path(path).is_dir():
            raise ConfigError(f"{flag} needs a file to write, and {path} is a folder")
        besides = (named.partition("=")[2] for named in arguments.beside)
        refuse_overwriting(flag, path, (arguments.reference, arguments.hypothesis, arguments.hypotheses, *besides))
    if not texts and (arguments.ids or arguments.speakers):
        raise ConfigError("--ids and --speakers describe two text files, and only one file came")
    if not arguments.report and (arguments.beside or arguments.report_audio is not None):
        raise ConfigError("--beside and --report_audio say what a page shows; name it with --report FILE.html")
    if texts and (arguments.beside or arguments.report_audio is not None):
        raise ConfigError("--beside and --report_audio need a manifest, and two text files came")


@dataclass
class _Task:
    """The data of an evaluation: references, hypotheses, their words if a model gave them, and other systems."""

    references: Sequence[Utterance | TextReference]
    utterances: Sequence[Utterance] = ()
    texts: dict[str, str | AsrError] = field(default_factory=dict)
    words: dict[str, tuple[HypothesisWord, ...]] = field(default_factory=dict)
    others: list[System] = field(default_factory=list)

    def evaluate(self, arguments: argparse.Namespace) -> Evaluation:
        """Score the hypotheses."""
        from asr.evaluation import evaluate

        return evaluate(self.references, self.texts, arguments.normaliser, seed=arguments.seed)


def _task(arguments: argparse.Namespace) -> _Task:
    if arguments.hypothesis is not None:
        from asr.evaluation import read_text_pair

        references, texts = read_text_pair(
            arguments.reference, arguments.hypothesis, ids=arguments.ids, speakers=arguments.speakers
        )
        return _Task(references, texts=dict(texts))
    from asr.data import read_manifest

    utterances = read_manifest(arguments.reference)
    task = _Task(utterances, utterances, others=[_beside(named, utterances, arguments) for named in arguments.beside])
    names = [_system_name(arguments), *(other.name for other in task.others)]
    if len(set(names)) < len(names):
        raise ConfigError(
            f"systems beside each other need different names, got {', '.join(names)}; choose another NAME"
        )
    _find_hypotheses(task, arguments, utterances)
    return task


def _beside(named: str, utterances: list[Utterance], arguments: argparse.Namespace) -> System:
    """Score another system, before any transcription, so that a file that does not match is refused at once."""
    from asr.evaluation import evaluate, read_hypotheses
    from asr.evaluation.hypotheses import read_hypothesis_words
    from asr.evaluation.report import System

    name, equals, path = named.partition("=")
    if not (name and equals and path):
        raise ConfigError(f"--beside needs NAME=FILE.jsonl, such as PocketSphinx=hmm.jsonl, got {named!r}")
    texts = read_hypotheses(path)
    try:
        evaluation = evaluate(utterances, texts, arguments.normaliser, seed=arguments.seed)
    except EvaluationError as misfit:
        raise EvaluationError(f"{path} does not fit {arguments.reference}: {misfit}") from misfit
    return System(name, evaluation, read_hypothesis_words(path))


def _find_hypotheses(task: _Task, arguments: argparse.Namespace, utterances: list[Utterance]) -> None:
    from asr.evaluation import read_hypotheses
    from asr.evaluation.hypotheses import read_hypothesis_words

    if arguments.hypotheses:
        task.texts = read_hypotheses(arguments.hypotheses)
        task.words = read_hypothesis_words(arguments.hypotheses)
        return
    for utterance, found in zip(utterances, _transcribe(arguments, utterances), strict=True):
        if isinstance(found, str | AsrError):
            task.texts[utterance.id] = found
        else:
            task.texts[utterance.id], task.words[utterance.id] = found.text, _words(found)


def _words(transcript: Transcript) -> tuple[HypothesisWord, ...]:
    from asr.evaluation.hypotheses import HypothesisWord

    words = (word for segment in transcript.segments for word in segment.words)
    return tuple(HypothesisWord(w.text, float(w.start), float(w.end), float(w.confidence)) for w in words)


def _transcribe(arguments: argparse.Namespace, utterances: list[Utterance]) -> Iterable[str | Transcript | AsrError]:
    if arguments.model is not None and (Path(arguments.model) / "checkpoints").is_dir():
        if decoding_flags(arguments) or arguments.precision or arguments.salvage:
            raise ConfigError(
                f"{arguments.model} is a training run, read by its best path; export it to decode otherwise"
            )
        return _transcribe_with_checkpoint(arguments.model, utterances)
    transcripts = load_model_for(arguments).transcribe_utterances(utterances, salvage=arguments.salvage)
    return watched(transcripts, len(utterances), "transcribing")


def _transcribe_with_checkpoint(run_folder: str, utterances: list[Utterance]) -> list[str | AsrError]:
    try:
        from asr.training.evaluate import transcribe_with_checkpoint
    except ModuleNotFoundError as missing:
        raise MissingExtraError(
            f"{run_folder} holds checkpoints, which need TensorFlow ({missing}); export the run and evaluate "
            "its bundle, or install TensorFlow",
            "train",
        ) from missing
    return transcribe_with_checkpoint(run_folder, utterances)


def _result(arguments: argparse.Namespace, evaluation: Evaluation) -> dict[str, object]:
    names = ("reference", "hypothesis", "hypotheses", "model")
    return {name: getattr(arguments, name) for name in names} | evaluation.to_json(arguments.worst)


def _print(evaluation: Evaluation, worst: int) -> None:
    from asr.evaluation.console import print_evaluation

    print_evaluation(evaluation, table_console(), worst)


def _write_report(arguments: argparse.Namespace, task: _Task, evaluation: Evaluation) -> None:
    from asr.evaluation.report import Report, System, embed_recordings, worst_first, write_report

    name = _system_name(arguments)
    worst = [task.utterances[at] for at in worst_first(evaluation)] if task.utterances else []
    report = Report(
        title=f"{name} on {Path(arguments.reference).name}",
        facts=_facts(arguments, evaluation),
        system=System(name, evaluation, task.words),
        others=tuple(task.others),
        durations={utterance.id: utterance.duration for utterance in task.utterances},
        recordings=dict(watched(embed_recordings(worst, arguments.report_audio), len(worst), "encoding")),
        seed=arguments.seed,
    )
    write_report(arguments.report, report)
    size = Path(arguments.report).stat().st_size / 1e6
    carried = f"{len(report.recordings)} of {len(task.references)} recordings"
    print(f"{arguments.report}: {size:.1f} MB, {carried}", file=sys.stderr)


def _system_name(arguments: argparse.Namespace) -> str:
    if arguments.hypothesis or arguments.hypotheses:
        return Path(arguments.hypothesis or arguments.hypotheses).stem
    if arguments.model:
        return Path(arguments.model).name
    from asr.bundle import default_bundle

    return Path(default_bundle()).name


def _facts(arguments: argparse.Namespace, evaluation: Evaluation) -> dict[str, str]:
    """Return the provenance of the numbers, by name."""
    from asr.provenance import provenance

    made = provenance(arguments.seed)
    given = decoding_flags(arguments)
    source = arguments.hypothesis or arguments.hypotheses
    facts = {
        "hypotheses" if source else "model": source or arguments.model or f"{_system_name(arguments)} (the default)",
        "references" if arguments.hypothesis else "manifest": arguments.reference,
        "decoding": ", ".join(f"{flag} {getattr(arguments, flag[2:])}" for flag in given),
        "precision": arguments.precision or "",
        "normaliser": evaluation.normalised.normaliser,
        "asr": f"{made['asr']}, commit {made['commit']}",
        "date": made["date"],
        "machine": made["hardware"],
    }
    return {name: str(value) for name, value in facts.items() if value}
