"""Reports: an evaluation as one static HTML page, with audio, that needs no network and can be passed on."""

from asr.evaluation.report.recordings import embed_recordings
from asr.evaluation.report.report import Report, System
from asr.evaluation.report.rows import worst_first
from asr.evaluation.report.write import write_report

__all__ = ["Report", "System", "embed_recordings", "worst_first", "write_report"]
