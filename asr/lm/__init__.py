"""N-gram language models: text → counts → probabilities → a file to query."""

from asr.lm.arpa import read_arpa, write_arpa
from asr.lm.model import NgramModel
from asr.lm.perplexity import Perplexity, perplexity
from asr.lm.pronunciations import Pronunciations
from asr.lm.read import read_ngram
from asr.lm.text import read_sentences
from asr.lm.train import train_ngram

__all__ = [
    "NgramModel",
    "Perplexity",
    "Pronunciations",
    "perplexity",
    "read_arpa",
    "read_ngram",
    "read_sentences",
    "train_ngram",
    "write_arpa",
]
