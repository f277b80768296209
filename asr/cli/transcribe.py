"""Transcribe recordings.

Without -o the text goes to stdout. A single recording gives one line for each segment, printed before the recording
ends; several give path, tab, text. A WAV or raw samples on stdin (-) and the microphone (--mic) are transcribed as they
arrive, with a line for each pause. With -o each recording gives a file in that folder with the recording's name (and
subfolders, for a folder); talk.mp3 beside talk.wav gives talk.mp3.txt and talk.wav.txt. Of a folder, all recordings
below it are transcribed, those of linked folders too, but no hidden ones.

Formats (-f, several as srt,json):
{formats}
For several recordings on stdout, txt, json and jsonl give the path of each, ctm its name.

A recording that cannot be transcribed, or whose file cannot be written, is reported on stderr with the reason; the
others are still transcribed. One that is cut or damaged cannot be either, unless --salvage keeps what is good of it;
what is missing is said on stderr then.
Exit code: 0 if all were transcribed, 1 if some or all were not, 2 if the command line is wrong, 130 after Ctrl-C (final
segments are kept).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.decoding import add_decoding_arguments, decoding_flags, load_model_for
from asr.cli.inputs import Input, find_inputs, with_distinct_stems
from asr.cli.main import report
from asr.cli.numbers import seconds_or_none, whole_number
from asr.cli.parser import add_switch
from asr.cli.salvage import add_salvage
from asr.cli.streams import print_now
from asr.cli.understanding import Understanding
from asr.cli.whisper import add_whisper_flags, model_named
from asr.errors import AsrError, ConfigError
from asr.inference.writers.formats import FORMATS

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from asr.cli.live import OnSegment
    from asr.inference import Segment, Transcriber, Transcript
    from asr.inference.writers import SubtitleOptions

    Deliver = Callable[[Input, Transcript], bool]

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
        "--endpoint_silence",
        type=seconds_or_none(0.2),
        default=0.5,
        metavar="SECONDS|none",
        help="a pause this long ends a line of what is spoken into a pipe or --mic; none waits for the lines that the "
        "finished recording has (default: 0.5)",
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
    add_salvage(parser)
    parser.add_argument("--precision", choices=("int8", "float32"), help="default: int8 if the bundle has it")
    add_decoding_arguments(parser)
    parser.add_argument(
        "--n_best", type=whole_number(1), default=1, metavar="N", help="hypotheses of a segment in json"
    )
    _add_subtitle_arguments(parser)
    add_whisper_flags(parser)


def _add_subtitle_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("srt and vtt")
    group.add_argument(
        "--max_line_width",
        type=whole_number(1),
        metavar="N",
        help="characters in a line, broken between words (default: 42); given alone, a subtitle is a segment",
    )
    group.add_argument("--max_line_count", type=whole_number(1), metavar="N", help="lines of a subtitle (default: 2)")
    add_switch(group, "--word_timestamps", help="time the words within the text (vtt)")
    add_switch(group, "--highlight_words", help="underline each word while it is spoken")


def _formats(text: str) -> str:
    from asr.inference.writers import formats

    try:
        formats(text)
    except ConfigError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from fault
    return text


def run(arguments: argparse.Namespace) -> int:
    """Transcribe every input; return 1 if any failed, 2 if the inputs contradict each other, else 0."""
    if wrong := _wrong_inputs(arguments):
        print(f"asr transcribe: {wrong}", file=sys.stderr)
        return 2
    found = find_inputs(arguments.inputs)
    for error in found.errors:
        report(error)
    for note in found.notes:
        print(f"asr: {note}", file=sys.stderr)
    if not found.inputs and not arguments.mic:
        return 1
    of_folder = any(given and Path(given).is_dir() for given in arguments.inputs)
    several = len(found.inputs) > 1 or of_folder
    options = _subtitle_options(arguments)
    inputs = found.inputs
    if arguments.output_dir is not None or (several and arguments.output_format == "ctm"):
        inputs = _named_apart(inputs)
    output = _output(arguments, options, len(inputs), several)
    # numpy's products are small here: its threads would take cores from the model. numpy reads this when imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

    arguments.model = model_named(arguments)
    model = load_model_for(arguments, arguments.n_best)
    understanding = Understanding(model.bundle)
    if not several:
        entry = Input("microphone", None, Path("microphone")) if arguments.mic else inputs[0]
        done = _run_alone(model, entry, arguments, output, understanding)
        _warn(understanding, arguments)
        return int(not done or bool(found.errors))
    sources = [entry.source for entry in inputs if entry.source is not None]
    transcripts = model.transcribe_many(sources, arguments.batch_size, salvage=arguments.salvage)
    results = zip(inputs, understanding.counting(transcripts), strict=True)
    with _progress(len(inputs), shown=arguments.output_dir is not None or not sys.stdout.isatty()) as advance:
        failed = sum(not _deliver(entry, result, output, advance) for entry, result in results)
    if failed and of_folder:
        print(f"asr: {failed} of {len(inputs)} recordings failed, with the reasons above", file=sys.stderr)
    _warn(understanding, arguments)
    return 1 if failed or found.errors else 0


def _wrong_inputs(arguments: argparse.Namespace) -> str | None:
    """Return what is wrong with the inputs, which the parser cannot check; None if nothing is."""
    if arguments.mic == bool(arguments.inputs):
        alone: str = " and nothing beside it" * arguments.mic
        return "name recordings, or - for stdin, or --mic" + alone
    if arguments.raw is not None and arguments.inputs != ["-"]:
        return "--raw is for stdin: asr transcribe - --raw HZ"
    return None


def _warn(understanding: Understanding, arguments: argparse.Namespace) -> None:
    """Say where the model plainly does not understand, unless the command line has it decode in another way."""
    if not decoding_flags(arguments) and (warning := understanding.warning()):
        print(f"asr: {warning}", file=sys.stderr)


def _run_alone(
    model: Transcriber, entry: Input, arguments: argparse.Namespace, output: Deliver, understanding: Understanding
) -> bool:
    """Transcribe a single recording; print text before it ends. After Ctrl-C, write the final segments."""
    from asr.inference import Transcript

    found: list[Segment] = []
    at_once = arguments.output_dir is None and arguments.output_format == "txt"

    def decided(segment: Segment) -> None:
        found.append(segment)
        if at_once or arguments.verbose:
            print_now(_timed(segment) if arguments.verbose else f"{segment.text}\n")

    try:
        endpoint_silence_s = arguments.endpoint_silence if at_once else None
        transcript = _transcribe_entry(model, entry, arguments, decided, endpoint_silence_s)
    except AsrError as error:
        report(error)
        return False
    except KeyboardInterrupt:
        if found and not at_once:
            output(entry, Transcript.of(found, found[-1].end))
        raise
    understanding.add(transcript)
    return (at_once and bool(found)) or output(entry, transcript)


def _transcribe_entry(
    model: Transcriber,
    entry: Input,
    arguments: argparse.Namespace,
    decided: OnSegment,
    endpoint_silence_s: float | None,
) -> Transcript:
    from asr.cli.live import transcribe_file, transcribe_microphone, transcribe_pipe

    if entry.source is None:
        return transcribe_microphone(model, decided, endpoint_silence_s)
    if isinstance(entry.source, Path):
        return transcribe_file(model, entry.source, arguments.salvage, decided)
    return transcribe_pipe(model, entry.source, arguments.raw, arguments.salvage, decided, endpoint_silence_s)


def _deliver(entry: Input, result: Transcript | AsrError, output: Deliver, advance: Callable[[], None]) -> bool:
    """Write a transcript by ``output``, or report the error; return whether there is a transcript, written whole."""
    advance()
    if isinstance(result, AsrError):
        report(result)
        return False
    return output(entry, result)


def _named_apart(inputs: Sequence[Input]) -> list[Input]:
    """Return the inputs with outputs of different names; say which have longer ones for it."""
    named = with_distinct_stems(inputs)
    longer = [after for before, after in zip(inputs, named, strict=True) if before.stem != after.stem]
    if longer:
        print(
            f"asr: {len(longer)} recordings share a name; the output of {longer[0].name} is called {longer[0].stem}",
            file=sys.stderr,
        )
    return named


# Output


def _subtitle_options(arguments: argparse.Namespace) -> SubtitleOptions:
    """Return the subtitle options; refuse them if no format uses them."""
    from asr.inference.writers import BROADCAST, SubtitleOptions, formats

    words = {"word_timestamps": arguments.word_timestamps, "highlight_words": arguments.highlight_words}
    width, count = arguments.max_line_width, arguments.max_line_count
    if width is not None and count is None:
        options = SubtitleOptions(max_line_width=width, **words)
    else:
        given = {"max_line_width": width, "max_line_count": count}
        options = replace(BROADCAST, **words, **{name: value for name, value in given.items() if value is not None})
    known = [FORMATS[name] for name in formats(arguments.output_format)]
    is_cut = width is not None or count is not None or options.highlight_words
    if is_cut and not any(one.has_lines for one in known):
        raise ConfigError(f"-f {arguments.output_format} has no lines to break or words to mark; srt and vtt have")
    if options.word_timestamps and not any(one.has_words for one in known):
        raise ConfigError(f"-f {arguments.output_format} has no times of words; json, vtt and ctm have")
    if arguments.n_best > 1 and not any(one.has_n_best for one in known):
        raise ConfigError(f"-f {arguments.output_format} has no place for --n_best hypotheses; json and jsonl have")
    return options


def _output(arguments: argparse.Namespace, options: SubtitleOptions, count: int, several: bool) -> Deliver:
    """Return the function that writes or prints the transcript of one of ``count`` inputs."""
    folder, output_format = arguments.output_dir, arguments.output_format
    if arguments.verbose and folder is None and output_format != "txt":
        raise ConfigError(f"--verbose prints text, and -f {output_format} is printed too; name a folder with -o")
    deliver = _deliverer(folder, output_format, options, count, several)
    if not (arguments.verbose and several):
        return deliver
    if folder is None:
        return lambda entry, transcript: _printed(_timed_lines(entry, transcript))
    return lambda entry, transcript: _printed(_timed_lines(entry, transcript)) and deliver(entry, transcript)


def _deliverer(folder: Path | None, output_format: str, options: SubtitleOptions, count: int, several: bool) -> Deliver:
    from asr.inference.writers import formats

    if folder is not None:
        if folder.exists() and not folder.is_dir():
            raise ConfigError(f"-o {folder} is a file, and a folder to write files to is needed")
        folder.mkdir(parents=True, exist_ok=True)  # refused before hours of work, not after
        return lambda entry, transcript: _written(transcript, folder / entry.stem, formats(output_format), options)
    if output_format not in FORMATS or (several and not FORMATS[output_format].names_recordings):
        raise ConfigError(f"-f {output_format} of {count} recording(s) needs -o FOLDER to write files to")
    if several:
        return lambda entry, transcript: _printed(_named(entry, transcript, output_format))
    return lambda entry, transcript: _printed(_alone(entry, transcript, output_format, options))


def _written(transcript: Transcript, stem: Path, names: Sequence[str], options: SubtitleOptions) -> bool:
    """Write a file of each format; report those that cannot be written, and return whether all were."""
    from asr.inference.writers import write_transcript

    whole = True
    for name in names:
        try:
            write_transcript(transcript, stem, name, options)
        except OSError as fault:
            report(fault)
            whole = False
    return whole


def _printed(text: str) -> bool:
    print_now(text)
    return True


def _timed(segment: Segment) -> str:
    """Return a segment's text as a line after its times, as whisper prints them."""
    from asr.inference.writers.times import span, timestamp
    from asr.inference.writers.words import one_line

    start, end = (timestamp(at, hours=False, decimal=".") for at in span(segment.start, segment.end))
    return f"[{start} --> {end}] {one_line(segment.text)}\n"


def _timed_lines(entry: Input, transcript: Transcript) -> str:
    return "".join(f"{entry.name}\t{_timed(segment)}" for segment in transcript.segments)


def _alone(entry: Input, transcript: Transcript, output_format: str, options: SubtitleOptions) -> str:
    """Format the transcript of a single recording."""
    from asr.inference.writers import render_transcript

    if output_format == "txt":
        return f"{transcript.text}\n"
    return render_transcript(transcript, output_format, entry.stem.name, options)


def _named(entry: Input, transcript: Transcript, output_format: str) -> str:
    """Format the transcript of one of several recordings; each line names the recording."""
    from asr.inference.writers import render_named

    name = entry.stem.as_posix() if output_format == "ctm" else entry.name
    return render_named(transcript, output_format, "path", name)


def _progress(total: int, shown: bool) -> AbstractContextManager[Callable[[], None]]:
    """Return a progress bar for several recordings if stderr is a terminal and no text would be mixed with it."""
    if total < 2 or not shown or not sys.stderr.isatty():
        return nullcontext(lambda: None)
    from asr.cli.progress import bar

    return bar(total, "transcribing")
