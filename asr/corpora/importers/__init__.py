"""Importers, one corpus a file, each with an ``IMPORTER``; a new corpus is a file here, and nothing else."""
