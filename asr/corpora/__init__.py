"""Corpora as published, turned into manifests.

One importer a file, each with ``read(folder) -> Iterator[Entry | Dropped]``; `asr.corpora.prepare.prepare` measures
the recordings, counts what cannot be used, and writes one manifest a split. `asr.corpora.fetch.fetch` brings a corpus
from its home. This file imports nothing, so that ``asr prepare --help`` can name the corpora at once.
"""

#: Each importer is the module of the same name; the words say what ``DIR`` should be.
CORPORA = {
    "librispeech": "LibriSpeech or mini LibriSpeech: a folder with *.trans.txt somewhere below",
    "an4": "CMU AN4: the folder with etc/ and wav/",
    "fsdd": "Free Spoken Digit Dataset: the folder with recordings/",
    "ljspeech": "LJ Speech: the folder with metadata.csv and wavs/",
    "common_voice": "Mozilla Common Voice: a locale's folder, with validated.tsv or train/dev/test.tsv and clips/",
    "kaldi": "Kaldi data folders: wav.scp, text, utt2spk, perhaps segments",
    "folder": "recordings, each with its transcript beside it in a .txt of the same name",
    "csv": "CSV or TSV files with a header: audio or path, text or sentence, perhaps speaker and id",
    "nemo": "NeMo manifests: JSON Lines with audio_filepath, text, duration, perhaps offset and speaker",
}
