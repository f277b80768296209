"""Utterances, and the manifests that list them."""

from asr.data.manifest import read_manifest, write_manifest
from asr.data.utterance import Utterance

__all__ = ["Utterance", "read_manifest", "write_manifest"]
