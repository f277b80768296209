"""Docstrings are sentences that are understood at first reading: functions say what they do, with a verb first.

A public function's docstring begins with a verb in the imperative ("Return the …", "Read a …"). Whatever names a thing
(a module, a class, a property) does not begin with a word that only points elsewhere ("Of …", "Those that …").
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "asr"

VERBS = set(
    """
    Accept Add Align Allow Alter Answer Append Apply Ask Assign Average Begin Bind Build Calibrate Call Cast Change
    Check Choose Clip Close Collect Combine Compare Compile Compose Compute Concatenate Convert Copy Count Create Cut
    Decide Declare Decode Delay Delete Describe Detect Discard Divide Download Draw Drop Encode End Ensure Enter
    Estimate Evaluate Export Extend Extract Fetch Fill Filter Find Finish Fit Fold Follow Format Forget Freeze
    Gather Generate Give Go Group Hash Ignore Import Initialise Initialize Insert Install Interpolate Invert Iterate
    Join Keep Label Lay Leave Let Limit List Load Lock Look Make Map Mark Mask Match Measure Merge Mix Move Multiply
    Name Normalise Note Open Order Pack Pad Parse Part Pass Pick Place Plan Play Plot Predict Prepare Print
    Propagate Prune Put Quantise Raise Rank Read Record Reduce Refuse Register Release Remove Rename Render Repeat
    Replace Report Resample Rescore Reset Resolve Restore Resume Return Reverse Round Run Sample Save Say Scale
    Score Search Select Send Serve Set Share Shift Show Simulate Skip Smooth Sort Spell Split Standardise Start
    State Stop Store Stretch Subtract Sum Take Tell Test Time Train Transcribe Transform Trim Try Tune Undo Unpack
    Update Use Validate Verify Wait Walk Warn Warp Weigh Wrap Write Yield
    """.split()
)

POINTERS = set(
    "Of Those These As What With By In To From For And Its Their Where Which Who Whose That Them They".split()
)

Definition = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def definitions(tree: ast.Module) -> Iterator[Definition]:
    """Yield the module, and every public class, function and method in it."""
    yield tree
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node


def is_property(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    names = {ast.unparse(decorator).split(".")[-1] for decorator in function.decorator_list}
    return bool(names & {"property", "cached_property"})


def faults(path: Path) -> Iterator[str]:
    for node in definitions(ast.parse(path.read_text(encoding="utf-8"))):
        if not (docstring := ast.get_docstring(node)):
            continue
        first = docstring.split()[0].strip("`.,:;")
        acts = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not is_property(node)
        if first not in VERBS if acts else first in POINTERS:
            line = 1 if isinstance(node, ast.Module) else node.lineno
            yield f"{path.relative_to(PACKAGE.parent)}:{line}: {docstring.splitlines()[0]}"


def test_docstrings_are_sentences() -> None:
    found = [fault for path in sorted(PACKAGE.rglob("*.py")) for fault in faults(path)]
    assert not found, "\n" + "\n".join(found)
