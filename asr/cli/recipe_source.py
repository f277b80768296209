"""Recipes as Hydra's config group ``recipe``: the settings of ``NAME/recipe.yaml``, in any folder of recipes."""

from __future__ import annotations

from pathlib import Path

from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigResult, ConfigSource
from omegaconf import DictConfig, OmegaConf

from asr.errors import ConfigError
from asr.recipe.find import FILE, all_recipes, find_recipe, home_of

GROUP = "recipe"


class RecipeSource(ConfigSource):
    """A source of the files ``NAME/recipe.yaml`` as options of a group, without the stages for ``asr recipe``."""

    @staticmethod
    def scheme() -> str:
        """Return the scheme of this source in Hydra's search path."""
        return "recipe"

    def load_config(self, config_path: str) -> ConfigResult:
        """Load a recipe's settings, which may set any group (``# @package _global_``)."""
        file = file_of(config_path)
        settings = OmegaConf.load(file)
        if not isinstance(settings, DictConfig):
            raise ConfigError(f"{file}: a recipe has keys and values, got a list")
        settings.pop("stages", None)
        return ConfigResult("recipes", self.full_path(), settings, {"package": "_global_"})

    def available(self) -> bool:
        """Return True, because the package's recipes are always there."""
        return True

    def is_group(self, config_path: str) -> bool:
        """Tell whether a path is the group of recipes."""
        return config_path.rstrip("/") == GROUP

    def is_config(self, config_path: str) -> bool:
        """Tell whether a path is a recipe."""
        return config_path.startswith(f"{GROUP}/") and home_of(config_path.removeprefix(f"{GROUP}/")) is not None

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """Return the names of all recipes."""
        return list(all_recipes()) if self.is_group(config_path) and results_filter != ObjectType.GROUP else []


def file_of(config_path: str) -> Path:
    """Return the file of the config ``recipe/NAME``."""
    return find_recipe(config_path.removeprefix(f"{GROUP}/")) / FILE
