"""Recipes: from a corpus to a measured model in stages, each skipped when it is done."""
