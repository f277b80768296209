"""Transcribe recordings.

Without -o the text goes to stdout. A single recording gives one line for each segment, printed before the recording
ends; several give path, tab, text. A WAV or raw samples on stdin (-) and the microphone (--mic) are transcribed as they
arrive. With -o each recording gives a file in that folder with the recording's name (and subfolders, for a folder).

Formats (-f, several as srt,json):
{formats}
For several recordings on stdout, txt, json and jsonl give the path of each, ctm its name.

A recording that cannot be transcribed is reported on stderr with the reason; the others are still transcribed.
Exit code: 0 if all were transcribed, 1 if some or all were not, 2 if the command line is wrong, 130 after Ctrl-C (final
segments are kept).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from asr.cli.decoding import add_decoding_arguments, load_model_for
from asr.cli.main import report
from asr.cli.numbers import whole_number
from asr.errors import AsrError, AudioNotFoundError, ConfigError
from asr.inference.writers.formats import FORMATS

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from asr.cli.live import OnSegment
    from asr.inference import Transcriber, Transcript
    from asr.inference.writers import SubtitleOptions

    Deliver = Callable[["Input", Transcript], object]

__doc__ = (__doc__ or "").replace(
    "{formats}", "\n".join(f"  {name:8}  {known.about}" for name, known in FORMATS.items())
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``asr transcribe``; flags are named as in whisper where it has them."""
    parser.add_argument(
        "inputs", nargs="*", metavar="FILE|FOLDER|-", help="recordings; - is stdin, transcribed as it arrives"
    )
    parser.add_argument("--mic", action="store_true", help="transcribe the microphone until Ctrl-C")
    parser.add_argument(
        "--raw", type=whole_number(1), metavar="HZ", help="stdin has 16-bit samples at this rate, one channel"
    )
    parser.add_argument(
        "--model", metavar="NAME|FOLDER", help="a bundle (default: $ASR_MODEL, else that of this package)"
    )
    parser.add_argument("-o", "--output_dir", type=Path, metavar="FOLDER", help="write files here")
    parser.add_argument(
        "-f", "--output_format", type=_formats, default="txt", metavar="FORMAT[,FORMAT]", help="or all; default: txt"
    )
    parser.add_argument(
        "--threads",
        type=whole_number(0),
        default=0,
        metavar="N",
        help="recordings, or parts of one, computed in parallel (default: one for each core)",
    )
    parser.add_argument(
        "--batch_size",
        type=whole_number(1),
        default=32,
        metavar="N",
        help="recordings decoded together; the text does not depend on it (default: 32)",
    )
    parser.add_argument("--precision", choices=("int8", "float32"), help="default: int8 if the bundle has it")
    add_decoding_arguments(parser)
    parser.add_argument(
        "--n_best", type=whole_number(1), default=1, metavar="N", help="hypotheses of a segment in json"
    )
    _add_subtitle_arguments(parser)


def _add_subtitle_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("srt and vtt")
    group.add_argument(
        "--max_line_width", type=whole_number(1), metavar="N", help="characters in a line, broken between words"
    )
    group.add_argument(
        "--max_line_count", type=whole_number(1), metavar="N", help="lines of a subtitle; segments are joined"
    )
    group.add_argument("--word_timestamps", action="store_true", help="time the words within the text (vtt)")
    group.add_argument("--highlight_words", action="store_true", help="underline each word while it is spoken")


def _formats(text: str) -> str:
    from asr.inference.writers import formats

    try:
        formats(text)
    except ConfigError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from fault
    return text


@dataclass(frozen=True)
class Input:
    """One recording of the command line.

    Attributes:
        name: its name in messages and outputs.
        source: the file or stream to read; None is the microphone.
        stem: the path of its output without suffix.
    """

    name: str
    source: Path | BinaryIO | None
    stem: Path


def run(arguments: argparse.Namespace) -> int:
    """Transcribe every input; return 1 if any failed, 2 if the inputs contradict each other, else 0."""
    if wrong := _wrong_inputs(arguments):
        print(f"asr transcribe: {wrong}", file=sys.stderr)
        return 2
    inputs, errors = find_inputs(arguments.inputs)
    for error in errors:
        report(error)
    if not inputs and not arguments.mic:
        return 1
    several = len(inputs) > 1 or any(given and Path(given).is_dir() for given in arguments.inputs)
    options = _subtitle_options(arguments)
    output = _output(arguments.output_dir, arguments.output_format, options, inputs, several)
    # numpy's products are small here: its threads would take cores from the model. numpy reads this when imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

    model = load_model_for(arguments, arguments.n_best)
    if not several:
        entry = Input("microphone", None, Path("microphone")) if arguments.mic else inputs[0]
        return int(not _run_alone(model, entry, arguments, output) or bool(errors))
    sources = [entry.source for entry in inputs if entry.source is not None]
    results = zip(inputs, model.transcribe_many(sources, arguments.batch_size), strict=True)
    with _progress(len(inputs), shown=arguments.output_dir is not None or not sys.stdout.isatty()) as advance:
        failed = sum(not _deliver(entry, result, output, advance) for entry, result in results)
    return 1 if failed or errors else 0


def _wrong_inputs(arguments: argparse.Namespace) -> str | None:
    """Return what is wrong with the inputs, which the parser cannot check; None if nothing is."""
    if arguments.mic == bool(arguments.inputs):
        alone: str = " and nothing beside it" * arguments.mic
        return "name recordings, or - for stdin, or --mic" + alone
    if arguments.raw is not None and arguments.inputs != ["-"]:
        return "--raw is for stdin: asr transcribe - --raw HZ"
    return None


def _run_alone(model: Transcriber, entry: Input, arguments: argparse.Namespace, output: Deliver) -> bool:
    """Transcribe a single recording; print text before it ends. After Ctrl-C, write the final segments."""
    from asr.inference import Segment, Transcript

    found: list[Segment] = []
    at_once = arguments.output_dir is None and arguments.output_format == "txt"

    def decided(segment: Segment) -> None:
        found.append(segment)
        if at_once:
            _print(f"{segment.text}\n")

    try:
        transcript = _transcribe_entry(model, entry, arguments.raw, decided)
    except AsrError as error:
        report(error)
        return False
    except KeyboardInterrupt:
        if found and not at_once:
            output(entry, Transcript.of(found, found[-1].end))
        raise
    if not at_once or not found:
        output(entry, transcript)
    return True


def _transcribe_entry(model: Transcriber, entry: Input, raw_rate: int | None, decided: OnSegment) -> Transcript:
    from asr.cli.live import transcribe_file, transcribe_microphone, transcribe_pipe

    if entry.source is None:
        return transcribe_microphone(model, decided)
    if isinstance(entry.source, Path):
        return transcribe_file(model, entry.source, decided)
    return transcribe_pipe(model, entry.source, raw_rate, decided)


def _deliver(entry: Input, result: Transcript | AsrError, output: Deliver, advance: Callable[[], None]) -> bool:
    """Write a transcript by ``output``, or report the error; return whether there is a transcript."""
    advance()
    if isinstance(result, AsrError):
        report(result)
        return False
    output(entry, result)
    return True


# Inputs


def find_inputs(given: Iterable[str]) -> tuple[list[Input], list[AsrError]]:
    """Find the inputs: files, recordings below folders, and ``-`` for stdin; return also errors for the others."""
    inputs: list[Input] = []
    errors: list[AsrError] = []
    for name in given:
        if name == "-":
            inputs.append(Input("-", sys.stdin.buffer, Path("stdin")))
        elif not name:  # An unset shell variable; Path("") would be the current folder.
            errors.append(AudioNotFoundError("'': an empty name; give a file or a folder, . for this one"))
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


def _subtitle_options(arguments: argparse.Namespace) -> SubtitleOptions:
    """Return the subtitle options; refuse them if no format uses them."""
    from asr.inference.writers import SubtitleOptions, formats

    options = SubtitleOptions(
        max_line_width=arguments.max_line_width,
        max_line_count=arguments.max_line_count,
        word_timestamps=arguments.word_timestamps,
        highlight_words=arguments.highlight_words,
    )
    is_cut = options.max_line_width is not None or options.highlight_words
    if is_cut and not any(FORMATS[name].has_lines for name in formats(arguments.output_format)):
        raise ConfigError(f"-f {arguments.output_format} has no lines to break or words to mark; srt and vtt have")
    return options


def _output(
    folder: Path | None, output_format: str, options: SubtitleOptions, inputs: Sequence[Input], several: bool
) -> Deliver:
    """Return the function that writes or prints an input's transcript."""
    from asr.inference.writers import write_transcript

    if folder is not None:
        _refuse_collisions(inputs, lambda stem: f"written to {folder / stem}.*")
        return lambda entry, transcript: write_transcript(transcript, folder / entry.stem, output_format, options)
    if output_format not in FORMATS or (several and not FORMATS[output_format].names_recordings):
        raise ConfigError(f"-f {output_format} of {len(inputs)} recording(s) needs -o FOLDER to write files to")
    if output_format == "ctm":
        _refuse_collisions(inputs, lambda stem: f"called {stem} in the ctm")
    if several:
        return lambda entry, transcript: _print(_named(entry, transcript, output_format))
    return lambda entry, transcript: _print(_alone(entry, transcript, output_format, options))


def _refuse_collisions(inputs: Sequence[Input], fate: Callable[[Path], str]) -> None:
    seen: dict[Path, Input] = {}
    for entry in inputs:
        if (other := seen.setdefault(entry.stem, entry)) is not entry:
            raise ConfigError(
                f"{other.name} and {entry.name} would both be {fate(entry.stem)}; "
                "rename one, give their common folder, or run twice"
            )


def _alone(entry: Input, transcript: Transcript, output_format: str, options: SubtitleOptions) -> str:
    """Format the transcript of a single recording."""
    from asr.inference.writers import render_transcript

    if output_format == "txt":
        return f"{transcript.text}\n"
    return render_transcript(transcript, output_format, entry.stem.name, options)


def _named(entry: Input, transcript: Transcript, output_format: str) -> str:
    """Format the transcript of one of several recordings; each line names the recording."""
    from asr.inference.writers import render_transcript
    from asr.inference.writers.json import as_json, one_object

    if output_format == "ctm":
        return render_transcript(transcript, "ctm", entry.stem.as_posix())
    if output_format == "txt":
        return f"{entry.name}\t{transcript.text}\n"
    content = as_json(transcript)
    objects = [content] if output_format == "json" else content["segments"]
    return "".join(one_object({"path": entry.name, **each}) for each in objects)


def _print(text: str) -> None:
    print(text, end="", flush=True)


def _progress(total: int, shown: bool) -> AbstractContextManager[Callable[[], None]]:
    """Return a progress bar for several recordings if stderr is a terminal and no text would be mixed with it."""
    if total < 2 or not shown or not sys.stderr.isatty():
        return nullcontext(lambda: None)
    from asr.cli.progress import bar

    return bar(total, "transcribing")
