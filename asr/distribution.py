"""The installed distribution that this package came in: its name on an index is not the name it is imported by."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote, urlsplit

_COMMAND = "asr.cli.main:main"
"""What the command of this package calls; it tells its distribution from another with the same command's name."""

_UNINSTALLED = "recurrent-asr"
"""The name where the package runs from a checkout that nobody installed."""


def install_command(extra: str) -> str:
    """Return the command that installs ``extra`` beside what is there, quoted for any shell.

    A package installed from a folder is installed again from that folder, while it is there. The metadata takes tens of
    milliseconds to read, so this is for messages of errors.
    """
    from importlib.metadata import entry_points

    owners = [point.dist for point in entry_points(group="console_scripts", name="asr") if point.value == _COMMAND]
    owner = next((dist for dist in owners if dist), None)
    if owner is None:
        return f"pip install '{_UNINSTALLED}[{extra}]'"
    folder, editable = _origin(owner.read_text("direct_url.json"))
    return f"pip install {'-e ' if editable else ''}'{folder or owner.name}[{extra}]'"


def _origin(direct_url: str | None) -> tuple[str | None, bool]:
    """Return the folder that was installed from (PEP 610), None where there is none, and whether it can be edited."""
    if not direct_url:
        return None, False
    content = json.loads(direct_url)
    url = urlsplit(content.get("url", ""))
    folder = unquote(url.path)
    if url.scheme != "file" or not Path(folder).is_dir():
        return None, False
    return folder, bool(content.get("dir_info", {}).get("editable"))
