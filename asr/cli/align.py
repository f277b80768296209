"""Align a known text with a recording: find when each word is spoken.

asr align talk.wav talk.txt                       the words' times on stdout (ctm)
asr align talk.wav --text "yes, start" -o yes.TextGrid
asr align talk.wav talk.txt -o talk.srt           one subtitle for each line of the text
asr align MANIFEST.jsonl -o words.ctm             all utterances of a manifest in one file (or .jsonl, .json, .txt)
asr align MANIFEST.jsonl -o FOLDER -f TextGrid    ... or one file for each, named by id
asr align MANIFEST.jsonl --cut YES,NO -o yes-no.jsonl    every YES and NO as an utterance, to train on

The suffix of -o selects the format: json, jsonl, ctm, TextGrid, srt, vtt, tsv or txt. One file of a manifest's
utterances names each, in json and jsonl by the key "utterance". Words are written as in the text,
with the estimated probability that they are spoken there, which is low where text and recording differ. Times
count from the recording's start. Numbers must be written out as they are spoken.

An utterance that cannot be aligned, or whose file cannot be written, is reported on stderr with the reason; the
others are still aligned.
Exit code: 0 if all were aligned, 1 if some or all were not, 2 if the command line is wrong.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.main import report
from asr.cli.outputs import refuse_overwriting
from asr.cli.salvage import add_salvage
from asr.errors import AlignmentError, AsrError, ConfigError
from asr.files import write_text
from asr.inference.writers import FORMATS, render_named, render_transcript

if TYPE_CHECKING:
    from asr.data import Utterance
    from asr.inference import Transcriber, Transcript


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``asr align``."""
    parser.add_argument("input", metavar="AUDIO|MANIFEST.jsonl", help="a recording, or a manifest with texts")
    parser.add_argument("text_file", metavar="TEXT_FILE", nargs="?", help="the text of the recording")
    parser.add_argument("--text", help="the text itself, instead of TEXT_FILE")
    parser.add_argument(
        "--model", metavar="NAME|FOLDER", help="a bundle (default: $ASR_MODEL, else that of this package)"
    )
    add_salvage(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE|FOLDER", help="default: ctm on stdout")
    parser.add_argument(
        "-f",
        "--output_format",
        choices=list(FORMATS),
        help="format of the files in a folder (default: json)",
        metavar="FORMAT",
    )
    parser.add_argument(
        "--cut", metavar="WORD,WORD", help="write every occurrence of these words as an utterance to -o FILE.jsonl"
    )


def run(arguments: argparse.Namespace) -> int:
    """Align one recording, or every utterance of a manifest.

    Returns:
        0, or 1 if some utterances of a manifest could not be aligned or written.

    Raises:
        ConfigError: the arguments contradict each other.
        AsrError: a file cannot be read, or the text cannot be aligned.
    """
    refuse_overwriting("-o", arguments.output, (arguments.input, arguments.text_file))
    if Path(arguments.input).suffix == ".jsonl":
        return _cut_manifest(arguments) if arguments.cut is not None else _align_manifest(arguments)
    if arguments.cut is not None:
        raise ConfigError(f"--cut is of the utterances of a MANIFEST.jsonl, got {arguments.input}")
    lines = _lines(arguments)
    output_format = _format_of_file(arguments)

    from asr.alignment.align import align_text

    transcript = align_text(_acoustic_model(arguments), arguments.input, lines, salvage=arguments.salvage)
    _write(render_transcript(transcript, output_format, Path(arguments.input).stem), arguments.output)
    return 0


def _acoustic_model(arguments: argparse.Namespace) -> Transcriber:
    """Load the bundle without its language model, which alignment does not need."""
    from asr.inference import Decoding, load_model

    return load_model(arguments.model, decoding=Decoding(beam_width=1))


def _lines(arguments: argparse.Namespace) -> list[str]:
    if (arguments.text is None) == (arguments.text_file is None):
        raise ConfigError(f"{arguments.input} needs its text: a TEXT_FILE, or --text, and not both")
    if arguments.text is not None:
        return [arguments.text]
    try:
        return Path(arguments.text_file).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise AlignmentError(f"{arguments.text_file}: cannot be read as UTF-8 text: {fault}") from fault


def _format_of_file(arguments: argparse.Namespace) -> str:
    """Return the format of the single output file, by its suffix in upper or lower case; ctm on stdout."""
    if arguments.output_format is not None:
        raise ConfigError("-f is for a manifest's files in a folder; for one file the suffix of -o says the format")
    if arguments.output is None:
        return "ctm"
    by_suffix = {f".{name.lower()}": name for name in FORMATS}
    if (suffix := arguments.output.suffix.lower()) not in by_suffix:
        raise ConfigError(f"-o {arguments.output}: the suffix says the format; there are {', '.join(FORMATS)}")
    return by_suffix[suffix]


def _write(text: str, path: Path | None) -> None:
    if path is None:
        print(text, end="")
        return
    write_text(path, text)


# Manifests


def _align_manifest(arguments: argparse.Namespace) -> int:
    _refuse_text(arguments)
    from asr.data import read_manifest

    utterances = read_manifest(arguments.input)
    if arguments.output is None or _is_one_file(arguments.output):
        output_format = _format_of_file(arguments)
        rendered = [
            render_named(transcript, output_format, "utterance", utterance.id)
            for utterance, transcript in _aligned(_acoustic_model(arguments), utterances, arguments.salvage)
        ]
        _write("".join(rendered), arguments.output)
        return int(len(rendered) < len(utterances))
    _refuse_file(arguments.output)
    _refuse_paths(utterances)
    return int(_align_to_folder(arguments, utterances) < len(utterances))


def _align_to_folder(arguments: argparse.Namespace, utterances: Sequence[Utterance]) -> int:
    """Write a file for each utterance; return how many were aligned and written."""
    output_format, written = arguments.output_format or "json", 0
    for utterance, transcript in _aligned(_acoustic_model(arguments), utterances, arguments.salvage):
        try:
            text = render_transcript(transcript, output_format, utterance.id)
            _write(text, arguments.output / f"{utterance.id}.{output_format}")
            written += 1
        except OSError as fault:
            report(fault)
    return written


def _is_one_file(output: Path) -> bool:
    """Tell whether ``output`` names a file of a format in which several recordings can be told apart."""
    named = {f".{name.lower()}" for name, known in FORMATS.items() if known.names_recordings}
    return output.suffix.lower() in named and not output.is_dir()


def _cut_manifest(arguments: argparse.Namespace) -> int:
    _refuse_text(arguments)
    output, words = arguments.output, [word for word in arguments.cut.split(",") if word]
    if not words or output is None or output.suffix != ".jsonl" or arguments.output_format:
        raise ConfigError(
            "--cut needs words, such as YES,NO, and a manifest to write them to: -o FILE.jsonl, without -f"
        )
    if arguments.salvage:
        raise ConfigError("--cut makes utterances to train on, which must be whole; leave --salvage out")
    from asr.alignment.isolated_words import WordCutter
    from asr.data import read_manifest, write_manifest

    cutter = WordCutter(_acoustic_model(arguments), words)
    found: list[Utterance] = []
    failed = 0
    for one in cutter(read_manifest(arguments.input)):
        if isinstance(one, AsrError):
            report(one)
            failed += 1
        else:
            found.append(one)
    if not found:
        raise AlignmentError(
            f"{arguments.input}: none of {', '.join(words)} was heard ({failed} utterances could not be aligned); "
            "ask for words of its texts, or name a --model that knows the language"
        )
    write_manifest(output, found)
    counts = Counter(one.text for one in found)
    print(f"{output}: {', '.join(f'{counts[word]} {word}' for word in cutter.words)}")
    return 1 if failed else 0


def _refuse_text(arguments: argparse.Namespace) -> None:
    if arguments.text is not None or arguments.text_file is not None:
        raise ConfigError(f"{arguments.input} has its texts itself; leave TEXT_FILE and --text out")


def _refuse_file(folder: Path) -> None:
    if folder.suffix.lower() in {f".{name.lower()}" for name in FORMATS}:
        named = ", ".join(f".{name}" for name, known in FORMATS.items() if known.names_recordings)
        raise ConfigError(
            f"-o {folder}: a manifest's utterances go to one file ({named}), or to a FOLDER with -f FORMAT"
        )


def _refuse_paths(utterances: Sequence[Utterance]) -> None:
    if named := [u.id for u in utterances if Path(u.id).name != u.id]:
        raise ConfigError(f"{len(named)} ids cannot name a file, such as {named[0]!r}; write one file, -o FILE.ctm")


def _aligned(
    model: Transcriber, utterances: Sequence[Utterance], salvage: bool
) -> Iterator[tuple[Utterance, Transcript]]:
    """Yield each utterance that can be aligned with its alignment; report the others."""
    from asr.alignment.align import align_utterance

    for utterance in utterances:
        try:
            yield utterance, align_utterance(model, utterance, salvage=salvage)
        except AsrError as error:
            report(error)
