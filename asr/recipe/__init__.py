"""Recipes, which lead from a corpus to an evaluated model in stages; a stage that is done is skipped."""
