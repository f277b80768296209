"""Utterances, and the manifests they live in."""

from asr.data.manifest import read_manifest, write_manifest
from asr.data.utterance import Utterance

__all__ = ["Utterance", "read_manifest", "write_manifest"]
