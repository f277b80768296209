"""Train, measure, tune and convert n-gram language models.

asr lm train books/*.txt --prose -o books.lm       from running prose, such as books
asr lm train text.txt.gz --order 4 -o four.arpa    from one sentence a line: .txt .gz .xz .tar, or manifests .jsonl
asr lm train books/*.txt --prose --for an4 -o books.lm     written as the bundle an4 writes texts
asr lm perplexity books.lm test.jsonl              how well it predicts a text
asr lm convert books.lm books.arpa.gz              to ARPA, or back
asr lm tune runs/mine/bundle dev.jsonl --lm books.lm   add it to a bundle, with weights tuned on dev

A model is a .lm file, which is small and opens fast, or an ARPA file, which other programs can read.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli import lm_tune
from asr.cli.normaliser import add_normaliser_or_bundle, chosen_normaliser
from asr.cli.numbers import whole_number
from asr.cli.outputs import refuse_overwriting
from asr.cli.parser import OneLineParser
from asr.errors import ConfigError, LanguageModelError

if TYPE_CHECKING:
    from asr.lm import NgramModel

_ARPA = (".arpa", ".arpa.gz")


def run_raw(argv: list[str]) -> int:
    """Read the command line after ``asr lm``, and run its sub-verb.

    Returns:
        0, or 2 if the command line is wrong.

    Raises:
        AsrError: as the sub-verbs raise it.
    """
    try:
        declare, line, work = SUB_VERBS[_overview().parse_args(argv[:1]).sub_verb]
        parser = OneLineParser(prog=f"asr lm {argv[0]}", description=line, allow_abbrev=False)
        declare(parser)
        arguments = parser.parse_intermixed_args(argv[1:])
    except SystemExit as leaving:
        return int(leaving.code or 0)
    work(arguments)
    return 0


def _overview() -> argparse.ArgumentParser:
    lines = "\n".join(f"  {name:12}{line}" for name, (_, line, _) in SUB_VERBS.items())
    parser = OneLineParser(
        prog="asr lm",
        usage="asr lm SUB_VERB …",
        description=__doc__,
        epilog=f"{lines}\n\nasr lm SUB_VERB --help says more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("sub_verb", metavar="SUB_VERB", choices=SUB_VERBS, help="one of these:")
    return parser


def _add_text(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "text", metavar="TEXT", nargs="+", type=Path, help="a sentence a line: .txt, .gz, .xz, .tar; or .jsonl"
    )
    parser.add_argument("--prose", action="store_true", help="sentences end at . ! ? and blank lines, not at each line")
    add_normaliser_or_bundle(parser)


def _declare_train(parser: argparse.ArgumentParser) -> None:
    _add_text(parser)
    parser.add_argument(
        "--without_speakers",
        metavar="NAME,NAME",
        default="",
        help="leave out these speakers of a manifest, such as those of the test",
    )
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help="a .lm, .arpa or .arpa.gz")
    parser.add_argument(
        "--order", metavar="N", type=whole_number(0), default=3, help="words of the longest n-gram (default: 3)"
    )
    parser.add_argument("--vocabulary_size", metavar="N", type=whole_number(0), help="only the N most frequent words")
    parser.add_argument(
        "--min_count",
        metavar="N",
        type=whole_number(0),
        default=1,
        help="only words that occur at least N times (default: 1)",
    )
    parser.add_argument(
        "--prune",
        metavar="N",
        type=whole_number(0),
        nargs="+",
        default=[],
        help="leave out n-grams that occur N times or less, as in lmplz, by order: 0 0 1 is 3-grams that occur once",
    )
    parser.add_argument(
        "--prune_entropy",
        metavar="SHARE",
        type=_share,
        default=0.0,
        help="leave out n-grams whose loss changes the perplexity by less than this share, such as 1e-8",
    )
    parser.add_argument(
        "--size", metavar="MB", type=_share, help="prune until the .lm has at most so many million bytes"
    )


def _train(arguments: argparse.Namespace) -> None:
    from asr.lm import train_ngram
    from asr.text.losses import shown_counts

    _form(arguments.output)
    refuse_overwriting("-o", arguments.output, arguments.text)
    lost: Counter[str] = Counter()
    model = train_ngram(
        _sentences(arguments, lost, arguments.without_speakers),
        arguments.order,
        vocabulary_size=arguments.vocabulary_size,
        min_count=arguments.min_count,
        cutoffs=arguments.prune,
        threshold=arguments.prune_entropy,
        size=None if arguments.size is None else int(arguments.size * 1e6),
    )
    if lost:
        print(f"not counted, as {chosen_normaliser(arguments)} loses them: {shown_counts(lost)}", file=sys.stderr)
    _write(model, arguments.output)


def _declare_perplexity(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", type=Path, help="a .lm or ARPA file")
    _add_text(parser)


def _perplexity(arguments: argparse.Namespace) -> None:
    from asr.lm import perplexity, read_ngram
    from asr.text.losses import shown_counts

    lost: Counter[str] = Counter()
    found = perplexity(read_ngram(arguments.model), _sentences(arguments, lost))
    print(f"sentences                      {found.sentences:,}")
    print(f"words                          {found.words:,}")
    print(f"out of vocabulary              {found.unknown:,} ({100 * found.unknown_rate:.2f} %)")
    print(f"perplexity, unknown words too  {found.including_unknown:.2f}")
    print(f"perplexity, without them       {found.excluding_unknown:.2f}")
    if lost:
        print(f"not measured, as {chosen_normaliser(arguments)} loses them: {shown_counts(lost)}", file=sys.stderr)


def _declare_convert(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="IN", type=Path, help="a .lm or ARPA file, compressed or not")
    parser.add_argument("output", metavar="OUT", type=Path, help="a .lm, .arpa or .arpa.gz")


def _convert(arguments: argparse.Namespace) -> None:
    from asr.lm import read_ngram

    _form(arguments.output)
    _write(read_ngram(arguments.input), arguments.output)


SUB_VERBS: dict[str, tuple[Callable[[argparse.ArgumentParser], None], str, Callable[[argparse.Namespace], None]]] = {
    "train": (_declare_train, "train a model on texts", _train),
    "perplexity": (_declare_perplexity, "measure a model on texts", _perplexity),
    "tune": (lm_tune.declare, "add a model to a bundle; tune weights and confidence on dev", lm_tune.work),
    "convert": (_declare_convert, "convert a .lm to ARPA, or ARPA to a .lm", _convert),
}
"""Sub-verb → the function that declares its arguments, a line of help, and the function that runs it."""


def _sentences(arguments: argparse.Namespace, lost: Counter[str], without_speakers: str = "") -> Iterator[str]:
    from asr.lm import read_sentences

    left_out = [name for name in without_speakers.split(",") if name]
    normaliser = chosen_normaliser(arguments)
    for path in arguments.text:
        yield from read_sentences(
            path, normaliser=normaliser, prose=arguments.prose, without_speakers=left_out, lost=lost
        )


def _form(path: Path) -> str:
    """Return the format by the file's name: ``.lm`` or ``.arpa``."""
    if path.suffix.lower() == ".lm":
        return ".lm"
    if path.name.lower().endswith(_ARPA):
        return ".arpa"
    raise ConfigError(f"{path}: a language model's name ends in .lm, .arpa or .arpa.gz")


def _write(model: NgramModel, path: Path) -> None:
    from asr.lm import write_arpa

    try:
        model.save(path) if _form(path) == ".lm" else write_arpa(path, model)
    except OSError as fault:
        raise LanguageModelError(f"{path}: cannot be written: {fault.strerror or fault}") from fault
    counts = ", ".join(f"{count:,}" for count in model.counts)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB; n-grams by order: {counts}", file=sys.stderr)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"a number, 0 or more, is needed, got {text!r}")
    return value
