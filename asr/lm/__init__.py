"""N-gram language models: text → counts → probabilities → a file to query."""

from asr.lm.model import NgramModel
from asr.lm.text import read_sentences
from asr.lm.train import train_ngram

__all__ = ["NgramModel", "read_sentences", "train_ngram"]
