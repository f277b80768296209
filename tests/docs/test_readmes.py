"""Every `asr` command that a README or a page of docs/ shows is one this version accepts."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from asr.cli.main import VERBS
from asr.cli.train import compose, sweep

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", "recipes/*/README.md", "benchmarks/README.md", "docs/*.md")
READMES = [page for pattern in PAGES for page in ROOT.glob(pattern)]


def commands() -> list[str]:
    """The lines of every sh block that start with `asr`."""
    blocks = [b for readme in READMES for b in re.findall(r"```sh\n(.*?)```", readme.read_text(encoding="utf-8"), re.S)]
    return sorted({line for block in blocks for line in block.splitlines() if line.startswith("asr ")})


def test_the_readmes_show_every_verb() -> None:
    assert {command.split()[1] for command in commands()} == set(VERBS)


@pytest.mark.parametrize("command", commands())
def test_the_command_is_accepted(command: str) -> None:
    _, verb, *arguments = shlex.split(command.split("#")[0].split("<")[0])
    module = importlib.import_module(VERBS[verb][0])
    if hasattr(module, "SUB_VERBS"):
        declare, _, _ = module.SUB_VERBS[arguments.pop(0)]
        _parse(declare, arguments)
    elif hasattr(module, "run_raw"):
        overrides = [a for a in arguments if not a.startswith("-")]
        jobs = list(sweep(overrides))
        assert len(jobs) == (3 if "-m" in arguments else 1)
        for job in jobs:
            compose(job)
    else:
        _parse(module.add_arguments, arguments)


def _parse(declare: Callable[[argparse.ArgumentParser], None], arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    declare(parser)
    parser.parse_intermixed_args(arguments)


def test_links_lead_somewhere() -> None:
    for readme in READMES:
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", readme.read_text(encoding="utf-8")):
            assert (readme.parent / target).exists(), f"{readme.relative_to(ROOT)}: {target}"


def test_the_choice_for_each_commit_leaves_out_what_is_there(request: pytest.FixtureRequest) -> None:
    """A place that was renamed would slip back into the choice of a minute."""
    (listed,) = (m.SLOW for m in request.config.pluginmanager.get_plugins() if hasattr(m, "SLOW"))
    assert [place for place in listed if not (ROOT / place).exists()] == []
