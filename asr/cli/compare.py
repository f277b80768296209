"""Compare the word errors of two systems on the same utterances, and test whether they differ significantly.

asr compare A.jsonl B.jsonl --manifest test.jsonl    hypotheses written by asr evaluate -o
asr compare a.txt b.txt --reference reference.txt     text files, line by line
asr compare a.txt b.txt --reference reference.txt --ids     each line starts with its id
asr compare a.trn b.trn --reference reference.trn     each line ends with its id: TEXT (ID)

Two paired tests, both two-sided: the matched-pair sentence-segment word error test (MAPSSWE; Gillick and Cox 1989),
and a bootstrap that draws speakers for both systems together (Bisani and Ney 2004). One system is called better only if
the first test has p < 0.05 and the 95 % interval of the difference, by the second, excludes 0. A recording that failed
counts as deletions. Exit code: 0 whichever is better, 1 if the files do not match, 2 if the command line is wrong.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.normaliser import add_normaliser
from asr.cli.numbers import whole_number
from asr.cli.progress import table_console
from asr.errors import AsrError, ConfigError, EvaluationError
from asr.files import to_json

if TYPE_CHECKING:
    from asr.evaluation import Comparison, Evaluation
    from asr.evaluation.evaluation import Reference

_MANIFESTS = (".jsonl", ".json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``asr compare``."""
    parser.add_argument("a", metavar="A", help="hypotheses of one system, by asr evaluate -o; or a text file")
    parser.add_argument("b", metavar="B", help="hypotheses of the other")
    parser.add_argument(
        "--manifest",
        "--reference",
        dest="reference",
        metavar="FILE",
        required=True,
        help="the references: a manifest (.jsonl), or a text file with the layout of A and B",
    )
    parser.add_argument("--ids", action="store_true", help="text files: each line starts with its id")
    parser.add_argument(
        "--speakers", action="store_true", help="text files: ids start with the speaker, before the first - or _"
    )
    add_normaliser(parser, "the one that A and B name; else letters_and_digits")
    parser.add_argument("--seed", type=whole_number(0), default=0, help="seed of the bootstrap (default 0)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Compare the two systems and print the result.

    Returns:
        0, whatever the verdict.

    Raises:
        ConfigError: the arguments contradict each other, or no normaliser has this name.
        EvaluationError, ManifestError: files cannot be read, or do not have the same ids.
    """
    from asr.text import find_normaliser

    if arguments.normaliser is not None:
        find_normaliser(arguments.normaliser)
    arguments.normaliser = arguments.normaliser or _own_normaliser(arguments)
    comparison = _comparison(arguments)
    if arguments.json:
        files = {"reference": arguments.reference, "files": {"a": arguments.a, "b": arguments.b}}
        print(to_json(files | comparison.to_json(), indent=1))
    else:
        _print(comparison, (arguments.a, arguments.b))
    return 0


def _own_normaliser(arguments: argparse.Namespace) -> str:
    """Return the normaliser that both systems' hypotheses name, or the one for texts of any origin."""
    from asr.evaluation.hypotheses import read_hypotheses_normaliser
    from asr.text.normalisers import FOR_SCORING

    if Path(arguments.reference).suffix.lower() not in _MANIFESTS:
        return FOR_SCORING
    of_a, of_b = (read_hypotheses_normaliser(path) for path in (arguments.a, arguments.b))
    return of_a if of_a is not None and of_a == of_b else FOR_SCORING


def _comparison(arguments: argparse.Namespace) -> Comparison:
    from asr.evaluation import compare_evaluations

    of_a, of_b = (_evaluation(arguments, path) for path in (arguments.a, arguments.b))
    return compare_evaluations(of_a, of_b, seed=arguments.seed)


def _evaluation(arguments: argparse.Namespace, path: str) -> Evaluation:
    from asr.evaluation import evaluate

    references, texts = _read(arguments, path)
    try:
        return evaluate(references, texts, arguments.normaliser, seed=arguments.seed)
    except EvaluationError as error:
        raise EvaluationError(f"{path} beside {arguments.reference}: {error}") from error


def _read(arguments: argparse.Namespace, path: str) -> tuple[Sequence[Reference], Mapping[str, str | AsrError]]:
    if Path(arguments.reference).suffix.lower() not in _MANIFESTS:
        from asr.evaluation import read_text_pair

        return read_text_pair(arguments.reference, path, ids=arguments.ids, speakers=arguments.speakers)
    if arguments.ids or arguments.speakers:
        raise ConfigError(f"--ids and --speakers describe text files, and {arguments.reference} is a manifest")
    from asr.data import read_manifest
    from asr.evaluation import read_hypotheses

    return read_manifest(arguments.reference), read_hypotheses(path)


def _print(comparison: Comparison, names: tuple[str, str]) -> None:
    from asr.evaluation.comparison_console import print_comparison

    print_comparison(comparison, names, table_console())
