"""Export of a trained run as a bundle that runs without TensorFlow: ONNX, int8, parity, card. Imports TensorFlow."""

from asr.export.exporter import Export, export_bundle

__all__ = ["Export", "export_bundle"]
