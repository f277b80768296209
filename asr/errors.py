"""The errors that users can meet, each with a stable code.

    AsrError
    ├── AudioError                  a recording cannot become samples
    │   ├── AudioNotFoundError      audio-not-found
    │   ├── AudioIsFolderError      audio-is-folder
    │   ├── AudioPermissionError    audio-permission
    │   ├── AudioEmptyError         audio-empty          zero bytes, or no samples
    │   ├── AudioFormatError        audio-format         not audio, or a codec that cannot be decoded
    │   ├── AudioTruncatedError     audio-truncated      cut or damaged: there is less than the container says
    │   ├── AudioNotFiniteError     audio-not-finite     NaN or infinite samples
    │   ├── AudioTooShortError      audio-too-short
    │   └── SampleRateError         sample-rate
    ├── ManifestError               manifest             faulty lines, listed by number
    ├── CorpusError                 corpus               a folder does not hold the named corpus
    ├── DownloadError               download
    │   ├── ChecksumError           checksum
    │   ├── DiskSpaceError          disk-space
    │   └── UnsafeArchiveError      unsafe-archive
    ├── VocabularyError             vocabulary
    ├── PreflightError              preflight            utterances that cannot be trained on, by id
    ├── ConfigError                 config
    ├── CacheError                  cache                features cannot be stored on disk
    ├── CheckpointError             checkpoint
    ├── TrainingError               training
    ├── BundleError                 bundle
    │   ├── BundleNotFoundError     bundle-not-found
    │   └── BundleCorruptError      bundle-corrupt
    ├── ExportError                 export
    │   └── ParityError             parity               the exported and the trained model differ
    ├── EvaluationError             evaluation
    ├── LanguageModelError          language-model       a language model cannot be made, read or used
    ├── AlignmentError              alignment            a text cannot be aligned with a recording
    ├── StreamFinishedError         stream-finished      samples came for a recording that was finished
    └── MissingExtraError           missing-extra        an optional dependency is not installed

The message states what was found, what was needed, in which file or id, and what to do. The code is for programs and
does not change between versions. The command line prints ``asr: error[code]: message`` and exits with 1. Errors of the
operating system, such as a folder without write permission, have the code ``system``.
"""

from __future__ import annotations


class AsrError(Exception):
    """The base class of all errors of this package; ``code`` is the same in Python and on the command line."""

    code = "asr"


class AudioError(AsrError):
    """A recording cannot become samples."""

    code = "audio"


class AudioNotFoundError(AudioError):
    """No file has this name."""

    code = "audio-not-found"


class AudioIsFolderError(AudioError):
    """The path is a folder, but a recording is needed."""

    code = "audio-is-folder"


class AudioPermissionError(AudioError):
    """The file cannot be opened for lack of permission."""

    code = "audio-permission"


class AudioEmptyError(AudioError):
    """The file has no bytes, or its header announces no samples."""

    code = "audio-empty"


class AudioFormatError(AudioError):
    """The file is not audio, or has a codec that cannot be decoded."""

    code = "audio-format"


class AudioTruncatedError(AudioError):
    """The recording is cut or damaged: it holds less than its container says."""

    code = "audio-truncated"


class AudioWarning(UserWarning):
    """A recording is read, and something about it should be known: seconds are missing, or its header is wrong."""


class AudioNotFiniteError(AudioError):
    """Some samples are NaN or infinite."""

    code = "audio-not-finite"


class AudioTooShortError(AudioError):
    """The recording is shorter than one analysis window."""

    code = "audio-too-short"


class SampleRateError(AudioError):
    """The sample rate is outside the range for speech."""

    code = "sample-rate"


class ManifestError(AsrError):
    """A manifest has faulty lines."""

    code = "manifest"


class CorpusError(AsrError):
    """A folder does not have the layout of the named corpus."""

    code = "corpus"


class DownloadError(AsrError):
    """A download did not succeed."""

    code = "download"


class ChecksumError(DownloadError):
    """A file's checksum is not the published one."""

    code = "checksum"


class DiskSpaceError(DownloadError):
    """The disk has too little free space."""

    code = "disk-space"


class UnsafeArchiveError(DownloadError):
    """An archive has a member outside its folder, or one that is not a regular file."""

    code = "unsafe-archive"


class VocabularyError(AsrError):
    """A text has characters outside the vocabulary."""

    code = "vocabulary"


class PreflightError(AsrError):
    """Some utterances cannot be trained on."""

    code = "preflight"


class ConfigError(AsrError):
    """A configuration key or value is wrong."""

    code = "config"


class CacheError(AsrError):
    """Features cannot be stored on disk."""

    code = "cache"


class CheckpointError(AsrError):
    """There is no usable checkpoint."""

    code = "checkpoint"


class TrainingError(AsrError):
    """Training cannot continue."""

    code = "training"


class BundleError(AsrError):
    """A bundle cannot be used."""

    code = "bundle"


class BundleNotFoundError(BundleError):
    """No bundle has this name or path."""

    code = "bundle-not-found"


class BundleCorruptError(BundleError):
    """A file of a bundle is missing, or its SHA-256 is not the recorded one."""

    code = "bundle-corrupt"


class ExportError(AsrError):
    """A checkpoint cannot be exported."""

    code = "export"


class ParityError(ExportError):
    """The exported model's log-probabilities differ from the trained model's."""

    code = "parity"


class EvaluationError(AsrError):
    """Hypotheses and references do not match."""

    code = "evaluation"


class LanguageModelError(AsrError):
    """A language model cannot be made, read or used."""

    code = "language-model"


class AlignmentError(AsrError):
    """A text cannot be aligned with a recording."""

    code = "alignment"


class StreamFinishedError(AsrError):
    """Samples came for a recording that was finished; another recording needs another stream."""

    code = "stream-finished"


class MissingExtraError(AsrError):
    """An optional dependency is not installed."""

    code = "missing-extra"

    def __init__(self, message: str, extra: str | None = None) -> None:
        """Say ``message``, and the command that installs ``extra`` where one is named."""
        if extra:
            from asr.distribution import install_command

            message = f"{message}; {install_command(extra)}"
        super().__init__(message)
