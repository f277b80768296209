"""Recordings to text.

Without -o the text goes to stdout: of one recording alone, of several as path, tab, text. With -o each
recording becomes a file of that folder, named as the recording (below a folder given, with its subfolders).

A recording that cannot be used is named on stderr with its reason; the others go on.
Exit code: 0 all transcribed, 1 some or all not, 2 wrong command line, 130 after Ctrl-C (files written stay).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from asr.cli.main import report
from asr.errors import AsrError, AudioNotFoundError, ConfigError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from asr.inference import Transcriber, Transcript

    Deliver = Callable[["Input", Transcript], object]

_FORMATS = ("txt", "json", "srt", "vtt", "tsv", "all")
_ON_STDOUT = ("txt", "json")
"""Formats of which several in a row can be told apart."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags, named as whisper's where it has them."""
    parser.add_argument("inputs", nargs="+", metavar="FILE|FOLDER|-", help="recordings; - reads one from stdin")
    parser.add_argument("--model", metavar="NAME|FOLDER", help="a bundle (default: the one that ships)")
    parser.add_argument("-o", "--output_dir", type=Path, metavar="FOLDER", help="write files here")
    parser.add_argument("-f", "--output_format", choices=_FORMATS, default="txt", help="default: txt")
    parser.add_argument("--threads", type=_at_least(0), default=0, metavar="N", help="default: one a core")
    parser.add_argument("--batch_size", type=_at_least(1), default=8, metavar="N", help="default: 8")
    parser.add_argument("--precision", choices=("int8", "float32"), help="default: int8 where the bundle has it")


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(f"must be at least {least}, got {text}")
        return int(text)

    return number


@dataclass(frozen=True)
class Input:
    """One recording of the command line: what it is called, where it is read from, its output without suffix."""

    name: str
    source: Path | BinaryIO
    stem: Path


def run(arguments: argparse.Namespace) -> int:
    """Transcribe every input; 1 if any could not be."""
    inputs, errors = find_inputs(arguments.inputs)
    for error in errors:
        report(error)
    if not inputs:
        return 1
    several = len(inputs) > 1 or any(Path(given).is_dir() for given in arguments.inputs)
    output = _output(arguments.output_dir, arguments.output_format, inputs, several)

    from asr.inference import load_model

    model = load_model(arguments.model, precision=arguments.precision, threads=arguments.threads)
    results = _transcripts(model, inputs, arguments.batch_size)
    with _progress(len(inputs), shown=arguments.output_dir is not None or not sys.stdout.isatty()) as advance:
        failed = sum(not _deliver(entry, result, output, advance) for entry, result in results)
    return 1 if failed or errors else 0


def _transcripts(
    model: Transcriber, inputs: Sequence[Input], batch_size: int
) -> Iterator[tuple[Input, Transcript | AsrError]]:
    sources = [entry.source for entry in inputs]
    if len(sources) > 1:
        yield from zip(inputs, model.transcribe_many(sources, batch_size), strict=True)
        return
    try:
        yield inputs[0], model.transcribe(sources[0])
    except AsrError as error:
        yield inputs[0], error


def _deliver(entry: Input, result: Transcript | AsrError, output: Deliver, advance: Callable[[], None]) -> bool:
    """Hand a transcript to ``output``, or report why there is none."""
    advance()
    if isinstance(result, AsrError):
        report(result)
        return False
    output(entry, result)
    return True


# Inputs


def find_inputs(given: Iterable[str]) -> tuple[list[Input], list[AsrError]]:
    """Files as they are, folders as the recordings below them, ``-`` as stdin; and what is wrong with the rest."""
    inputs: list[Input] = []
    errors: list[AsrError] = []
    for name in given:
        if name == "-":
            inputs.append(Input("-", sys.stdin.buffer, Path("stdin")))
        elif Path(name).is_dir():
            found = _recordings_below(Path(name))
            inputs += found
            errors += [] if found else [AudioNotFoundError(_nothing_in(name))]
        else:
            inputs.append(Input(name, Path(name), Path(Path(name).stem)))
    return inputs, errors


def _recordings_below(folder: Path) -> list[Input]:
    from asr.audio import AUDIO_SUFFIXES

    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in AUDIO_SUFFIXES and p.is_file())
    return [Input(str(p), p, p.relative_to(folder).with_suffix("")) for p in paths]


def _nothing_in(folder: str) -> str:
    from asr.audio import AUDIO_SUFFIXES

    return f"{folder}: no recordings in this folder (looked for {' '.join(sorted(AUDIO_SUFFIXES))})"


# Output


def _output(folder: Path | None, output_format: str, inputs: Sequence[Input], several: bool) -> Deliver:
    """What to do with an input's transcript."""
    from asr.inference.writers import write_transcript

    if folder is not None:
        _refuse_collisions(inputs, folder)
        return lambda entry, transcript: write_transcript(transcript, folder / entry.stem, output_format)
    if output_format == "all" or (several and output_format not in _ON_STDOUT):
        raise ConfigError(f"-f {output_format} of {len(inputs)} recording(s) needs -o FOLDER to write files to")
    return lambda entry, transcript: print(_line(entry, transcript, output_format, several), flush=True)


def _refuse_collisions(inputs: Sequence[Input], folder: Path) -> None:
    seen: dict[Path, Input] = {}
    for entry in inputs:
        if (other := seen.setdefault(entry.stem, entry)) is not entry:
            raise ConfigError(
                f"{other.name} and {entry.name} would both be written to {folder / entry.stem}.*; "
                "rename one, give their common folder, or run twice"
            )


def _line(entry: Input, transcript: Transcript, output_format: str, several: bool) -> str:
    """The transcript for stdout, told apart from others by its name where there are several."""
    import json

    from asr.inference.writers import WRITERS
    from asr.inference.writers.json import as_json

    if not several:
        return transcript.text if output_format == "txt" else WRITERS[output_format](transcript).removesuffix("\n")
    if output_format == "json":
        return json.dumps({"path": entry.name, **as_json(transcript)}, ensure_ascii=False)
    return f"{entry.name}\t{transcript.text}"


def _progress(total: int, shown: bool) -> AbstractContextManager:
    """A bar on stderr where it is a terminal, and many recordings are to come, and no text would cross it."""
    if total < 2 or not shown or not sys.stderr.isatty():
        return nullcontext(lambda: None)
    from asr.cli.progress import bar

    return bar(total, "transcribing")
