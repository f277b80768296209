"""Every `asr` command that a README or a page of docs/ shows is one this version accepts."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.hydra import Hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode

from asr.cli.composing import options_of
from asr.cli.main import VERBS
from asr.cli.train import run_raw
from asr.options import TrainingOptions

ROOT = Path(__file__).parents[2]
FOLDERS = ("recipes/*", "tools/*", "benchmarks")
PAGES = ("README.md", "CONTRIBUTING.md", *(f"{folder}/README.md" for folder in FOLDERS), "docs/*.md")
READMES = [page for pattern in PAGES for page in ROOT.glob(pattern)]


def commands() -> list[str]:
    """The lines of every sh block that start with `asr`."""
    blocks = [b for readme in READMES for b in re.findall(r"```sh\n(.*?)```", readme.read_text(encoding="utf-8"), re.S)]
    return sorted({line for block in blocks for line in block.splitlines() if line.startswith("asr ")})


def test_the_readmes_show_every_verb() -> None:
    assert {command.split()[1] for command in commands()} == set(VERBS)


@pytest.mark.parametrize("command", commands())
def test_the_command_is_accepted_and_with_an_option_too_many_it_is_not(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, verb, *arguments = shlex.split(re.split("[#<>]", command)[0])
    module = importlib.import_module(VERBS[verb][0])
    if hasattr(module, "SUB_VERBS"):
        declare, _, _ = module.SUB_VERBS[arguments.pop(0)]
        _parse(declare, arguments)
    elif hasattr(module, "run_raw"):
        _compose(arguments, monkeypatch)
    else:
        _parse(module.add_arguments, arguments)


def _compose(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Hydra takes an `asr train` with all its flags; a job that it would begin is composed and not trained."""
    jobs: list[object] = []
    monkeypatch.setattr("asr.cli.train._run_once", lambda app, name, overrides: jobs.append(_config(app, overrides)))
    monkeypatch.setattr("asr.cli.train._sweep", lambda app, name, overrides: jobs.extend(_configs(app, overrides)))
    assert run_raw(arguments) == 0
    several = "-m" in arguments and any(argument.startswith("model.dropout=") for argument in arguments)
    assert len(jobs) == (3 if several else 0 if "--cfg" in arguments else 1)


def _config(app: Hydra, overrides: list[str]) -> TrainingOptions:
    config = app.compose_config("train", overrides, RunMode.RUN)
    HydraConfig.instance().set_config(config)
    return options_of(config)


def _configs(app: Hydra, overrides: list[str]) -> list[TrainingOptions]:
    parsed = OverridesParser.create().parse_overrides(overrides)
    plugins = {"hydra/launcher", "hydra/sweeper"}  # which need not be installed here
    ranges = [one for one in parsed if one.is_sweep_override() and not one.is_discrete_sweep()]  # of Optuna
    parsed = [
        one for one in parsed if one.key_or_group not in plugins and not one.is_hydra_override() and one not in ranges
    ]
    (batch,) = BasicSweeper.split_arguments(parsed, None)
    return [_config(app, job) for job in batch]


def _parse(declare: Callable[[argparse.ArgumentParser], None], arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    declare(parser)
    parser.parse_intermixed_args(arguments)
    with pytest.raises((argparse.ArgumentError, SystemExit)):
        parser.parse_intermixed_args([*arguments, "--nonsense"])


def test_links_lead_somewhere() -> None:
    for readme in READMES:
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", readme.read_text(encoding="utf-8")):
            assert (readme.parent / target).exists(), f"{readme.relative_to(ROOT)}: {target}"


def test_the_choice_for_each_commit_leaves_out_what_is_there(request: pytest.FixtureRequest) -> None:
    """A place that was renamed would slip back into the choice of a minute."""
    (listed,) = (m.SLOW for m in request.config.pluginmanager.get_plugins() if hasattr(m, "SLOW"))
    assert [place for place in listed if not (ROOT / place).exists()] == []
