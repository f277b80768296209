"""Search for recipes in ``recipes/`` of the working folder, in the package, or at any path."""

from __future__ import annotations

from pathlib import Path

from asr.errors import ConfigError
from asr.files import share_folder
from asr.typed import nearest

FILE = "recipe.yaml"
"""The file that makes a folder a recipe; it holds settings of training, and stages."""

OWN = Path("recipes")
"""The folder, below the working folder, that is searched first, for a user's own recipes."""


def find_recipe(name: str) -> Path:
    """Return the folder of a recipe.

    Args:
        name: the name of a folder in ``./recipes`` or in the package's ``recipes``, or a path to any other folder.

    Raises:
        ConfigError: there is no such recipe, and the message gives the nearest name; or the recipe still has the old
            form with two files.
    """
    home = home_of(name)
    if home is not None:
        return _of_one_file(home)
    if Path(name).is_dir():
        raise ConfigError(f"{name} is no recipe: it has no {FILE}")
    raise ConfigError(f"no recipe {name!r}{nearest(name, list(all_recipes()))}")


def home_of(name: str) -> Path | None:
    """Return the folder of a recipe as `find_recipe` does; None where there is none."""
    places = (OWN / name, share_folder("recipes") / name, Path(name))
    return next((place for place in places if (place / FILE).is_file()), None)


def all_recipes() -> dict[str, Path]:
    """Return the folder of each recipe by its name: those of the package, and those in ``./recipes``."""
    files = [file for place in (share_folder("recipes"), OWN) for file in place.glob(f"*/{FILE}")]
    return dict(sorted((file.parent.name, file.parent) for file in files))


def is_ours(home: Path) -> bool:
    """Return whether a recipe's folder is one of the package's own."""
    return home.resolve().is_relative_to(share_folder("recipes").resolve())


def _of_one_file(home: Path) -> Path:
    old = home / "stages.yaml"
    if old.exists():
        raise ConfigError(
            f"{old}: stages stand in {FILE} now; indent its lines by two, put them under a line 'stages:' at the end "
            f"of {home / FILE}, and remove {old.name}"
        )
    return home
