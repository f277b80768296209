"""Words read by their phones, against the sum over every path of phones and a language model asked word by word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby, product

import numpy as np
import pytest

from asr.arrays import LogProbs
from asr.decoding import BeamOptions, FusionWeights, Hypothesis, PhoneDecoder, phone_decoder
from asr.decoding.phone_fusion import PhoneFusion
from asr.decoding.word_hotwords import WordHotwords
from asr.errors import VocabularyError
from asr.lm import NgramModel, Pronunciations, train_ngram
from asr.text import BLANK, Lexicon, Phones, Vocabulary, frames_needed
from asr.text.lexicon import BOUNDARY

VOCABULARY = Vocabulary((" ", "A", "B"))
PHONES = Phones(("x", "y"))
LEXICON = Lexicon({"A": (("x",),), "AB": (("x",),), "B": (("y",), ("x", "y")), "BA": (("x", "y"),)})
"""A and AB sound alike; B has two ways, one of which is BA's."""
SENTENCES = ["A B A", "A B", "B BA", "AB BA", "A", "B A AB"]
WEIGHTS = FusionWeights(alpha=0.8, beta=0.4)
EXACT = BeamOptions(width=100_000, threshold=np.inf, token_threshold=-np.inf, merge=False)
ALL = 10_000

Sounds = tuple[int, ...]


@pytest.fixture(scope="module")
def model() -> NgramModel:
    return train_ngram(SENTENCES, order=2)


def decoder(
    model: NgramModel,
    weights: FusionWeights = WEIGHTS,
    options: BeamOptions = EXACT,
    n_best: int = ALL,
    discount: np.ndarray | None = None,
) -> PhoneDecoder:
    pronunciations = Pronunciations.of(model, LEXICON, PHONES)
    return PhoneDecoder(VOCABULARY, model, pronunciations, weights, options, n_best=n_best, discount=discount)


@pytest.fixture
def both(random_log_probs):
    """(seed, frames) → log-probabilities (frames, V + P), those of characters and those of phones."""

    def made(seed: int, frames: int) -> np.ndarray:
        characters = random_log_probs(seed, frames, len(VOCABULARY))
        return LogProbs(characters, random_log_probs(seed + 1000, frames, len(PHONES)))

    return made


@pytest.fixture
def all_variants(monkeypatch) -> None:
    """Sums over all label sequences of a text; a decoder looks at the best few for its first hypothesis."""
    monkeypatch.setattr(phone_decoder, "_VARIANTS", ALL)


# By brute force.


def sums_over_paths(phones: np.ndarray) -> dict[Sounds, float]:
    """What can be spelled → ln of the sum over its paths, of all P**T, with a blank or the end of a word after each.

    Args:
        phones: (T, P) log-probabilities.
    """
    sums: dict[Sounds, float] = defaultdict(lambda: -np.inf)
    for *path, last in product(*[range(phones.shape[1])] * len(phones), (BLANK, BOUNDARY)):
        spelled = tuple(label for label, _ in groupby([*path, last]) if label)
        sums[spelled] = np.logaddexp(sums[spelled], phones[np.arange(len(phones)), path].sum())
    return sums


def words_of(spelled: Sounds) -> Iterator[tuple[str, ...]]:
    """Every sequence of words that is said so; none where the last has not ended, or is none."""
    *ended, rest = "".join(map(chr, spelled)).split(chr(BOUNDARY))
    said = [[word for word, ways in LEXICON.pronunciations.items() if sounds(way) in ways] for way in ended]
    return iter(()) if rest else product(*said)


def sounds(labels: str) -> tuple[str, ...]:
    return tuple(PHONES.symbols[ord(label) - 2] for label in labels)


def language_score(words: Sequence[str], model: NgramModel, weights: FusionWeights) -> float:
    """alpha * LM + beta * words, one word after the other."""
    total, state = 0.0, np.array([model.start])
    for word in words:
        log_prob, state = model.score(state, model.word_ids([word]))
        total += weights.alpha * log_prob[0] + weights.beta
    return float(total + weights.alpha * model.score_end(state)[0])


def by_brute_force(phones: np.ndarray, model: NgramModel, weights: FusionWeights = WEIGHTS) -> dict[str, float]:
    """Text → score, the ways to say it summed; of texts that the frames can spell."""
    found: dict[str, float] = defaultdict(lambda: -np.inf)
    for spelled, total in sums_over_paths(phones).items():
        for words in words_of(spelled):
            text = " ".join(words)
            found[text] = np.logaddexp(found[text], total + language_score(words, model, weights))
    return {text: s for text, s in found.items() if frames_needed(VOCABULARY.encode(text)) <= len(phones)}


def check(found: Sequence[Hypothesis], wanted: dict[str, float]) -> None:
    """The same texts, scores and order; a decoder computes with 32 bits."""
    assert {h.text: h.score for h in found} == pytest.approx(wanted, abs=1e-5)
    assert [h.text for h in found] == sorted(wanted, key=lambda text: -wanted[text])


@pytest.mark.usefixtures("all_variants")
@pytest.mark.parametrize("frames", [1, 2, 4, 6])
@pytest.mark.parametrize("seed", range(3))
def test_a_wide_beam_gives_every_text_the_sum_over_its_paths_and_the_models_score(
    seed: int, frames: int, both, model: NgramModel
) -> None:
    log_probs = both(seed, frames)
    check(decoder(model).decode([log_probs])[0], by_brute_force(log_probs.phones, model))


@pytest.mark.usefixtures("all_variants")
@pytest.mark.parametrize(
    "weights", [FusionWeights(0.0, 0.0), FusionWeights(2.0, -1.0), FusionWeights(0.5, 3.0)], ids=str
)
def test_so_it_does_with_other_weights(weights: FusionWeights, both, model: NgramModel) -> None:
    log_probs = both(7, 5)
    wanted = by_brute_force(log_probs.phones, model, weights)
    check(decoder(model, weights).decode([log_probs])[0], wanted)


@pytest.mark.usefixtures("all_variants")
def test_the_discount_is_taken_from_every_frame_of_phones_alone(both, model: NgramModel) -> None:
    log_probs, less = both(3, 5), np.array([0.0, -0.5, -2.0, -1.0], np.float32)
    wanted = by_brute_force(log_probs.phones - less, model)
    check(decoder(model, discount=less).decode([log_probs])[0], wanted)


@pytest.mark.usefixtures("all_variants")
def test_a_word_of_two_ways_is_one_reading_and_has_the_sum_of_both(both, model: NgramModel) -> None:
    log_probs = both(1, 3)
    scores = sums_over_paths(log_probs.phones)
    ways = [tuple(PHONES.encode([way]).tolist()) for way in LEXICON.pronunciations["B"]]
    readings = [h for h in decoder(model).decode([log_probs])[0] if h.text == "B"]
    wanted = np.logaddexp(*(scores[way] for way in ways)) + language_score(["B"], model, WEIGHTS)
    assert [h.score for h in readings] == [pytest.approx(wanted, abs=1e-5)]


@pytest.mark.parametrize("n_best", [1, 2, 5])
def test_as_many_readings_as_asked_and_the_best_of_all(n_best: int, both, model: NgramModel) -> None:
    log_probs = both(2, 6)
    everything = decoder(model).decode([log_probs])[0]
    found = decoder(model, n_best=n_best).decode([log_probs])[0]
    assert [h.text for h in found] == [h.text for h in everything[:n_best]]


@pytest.mark.usefixtures("all_variants")
@pytest.mark.parametrize("seed", range(3))
def test_word_hotwords_add_their_weight_to_every_reading_that_has_them(seed: int, both, model: NgramModel) -> None:
    log_probs, raised = both(seed, 6), {("A", "B"): 3.0, ("BA",): -2.0}
    ids = {tuple(model.word_ids(phrase).tolist()): weight for phrase, weight in raised.items()}
    pronunciations = Pronunciations.of(model, LEXICON, PHONES)
    plain, more = (
        PhoneDecoder(VOCABULARY, model, pronunciations, WEIGHTS, EXACT, n_best=ALL, raised=some)
        for some in (None, WordHotwords(ids, len(model)))
    )
    wanted = {
        h.text: h.score + 3.0 * f" {h.text} ".count(" A B ") - 2.0 * h.text.split().count("BA")
        for h in plain.decode([log_probs])[0]
    }
    assert {h.text: h.score for h in more.decode([log_probs])[0]} == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("n_best", [1, 3])
def test_side_by_side_as_one_by_one(n_best: int, both, model: NgramModel) -> None:
    narrow = decoder(model, options=BeamOptions(width=6, threshold=9.0, token_threshold=-3.0), n_best=n_best)
    log_probs = [both(seed, frames) for seed, frames in enumerate([12, 0, 5, 1, 20, 5])]
    assert narrow.decode(log_probs) == [narrow.decode([one])[0] for one in log_probs]


def test_no_word_adds_more_than_the_bound(model: NgramModel) -> None:
    pronunciations = Pronunciations.of(model, LEXICON, PHONES)
    for weights in (WEIGHTS, FusionWeights(0.1, 2.0), FusionWeights(0.5, -1.0)):
        fusion = PhoneFusion(model, pronunciations, weights)
        states = fusion.start()[np.newaxis]
        for word in ["A", "B", "BA", "A", "AB"] * 3:
            for label in PHONES.encode([LEXICON.pronunciations[word][0]]).tolist():
                scores, states = fusion.extend(states, np.array([label]))
                assert -np.inf < scores[0] <= fusion.max_score[label]


def test_what_is_allowed_is_what_is_scored(model: NgramModel) -> None:
    pronunciations = Pronunciations.of(model, LEXICON, PHONES)
    fusion = PhoneFusion(model, pronunciations, WEIGHTS)
    states, labels = fusion.start()[np.newaxis], np.arange(pronunciations.num_labels)
    for _ in range(4):
        allowed = fusion.allows(states)
        grown = [fusion.extend(state.repeat(len(labels)).reshape(2, -1).T, labels) for state in states]
        np.testing.assert_array_equal(allowed, [scores > -np.inf for scores, _ in grown])
        states = np.unique(np.concatenate([after[scores > -np.inf] for scores, after in grown]), axis=0)


def test_no_frames_are_read_as_nothing(model: NgramModel) -> None:
    (nothing,) = decoder(model).decode([LogProbs(np.zeros((0, len(VOCABULARY))), np.zeros((0, len(PHONES))))])[0]
    assert (nothing.text, nothing.labels, nothing.frames) == ("", (), ())
    assert nothing.score == pytest.approx(language_score([], model, WEIGHTS))


def test_a_network_without_phones_is_refused(model: NgramModel) -> None:
    with pytest.raises(VocabularyError, match="needs a network that outputs phones"):
        decoder(model).decode([LogProbs(np.zeros((3, len(VOCABULARY))))])


# By example.

LETTERS = Vocabulary(tuple(" ADER"))
SOUNDS = Phones(("a", "d", "e", "r"))
SAID = Lexicon(
    {"A": (("a",),), "RED": (("r", "e", "d"),), "READ": (("r", "e", "d"), ("r", "e")), "DEER": (("d", "e", "r"),)}
)


def sharp(labels: Sequence[int], size: int, spread: float = 1e-4) -> np.ndarray:
    """Log-probabilities (T, size) of a label a frame, each of the others ``spread`` times as likely."""
    rows = np.full((len(labels), size), spread)
    rows[np.arange(len(labels)), labels] = 1.0
    return np.log(rows / rows.sum(axis=1, keepdims=True))


def heard(sounds: str, letters: str | None = None, spread: float = 1e-4) -> LogProbs:
    """A phone a frame, ``.`` for the blank, ``|`` for the end of a word; letters likewise, all alike if not told."""
    labels = {".": BLANK, "|": BOUNDARY} | {symbol: i for i, symbol in enumerate(SOUNDS.symbols, start=2)}
    characters = np.full((len(sounds), len(LETTERS)), -np.log(len(LETTERS)))
    if letters is not None:
        characters = sharp([BLANK if c == "." else int(LETTERS.encode(c)[0]) for c in letters], len(LETTERS))
    return LogProbs(characters, sharp([labels[s] for s in sounds], len(SOUNDS), spread))


def read(log_probs: LogProbs, sentences: Sequence[str], lexicon: Lexicon = SAID, n_best: int = 1) -> list[Hypothesis]:
    model = train_ngram(sentences, order=2)
    pronunciations = Pronunciations.of(model, lexicon, SOUNDS)
    return PhoneDecoder(LETTERS, model, pronunciations, FusionWeights(1.0, 0.0), n_best=n_best).decode([log_probs])[0]


@pytest.mark.parametrize(("sentences", "text"), [(["A RED DEER", "READ"], "A RED"), (["RED DEER", "A READ"], "A READ")])
def test_words_that_sound_alike_are_told_apart_by_the_language_model(sentences: list[str], text: str) -> None:
    (best,) = read(heard("a|..r.e.d|..."), sentences)
    assert best.text == text


def test_words_that_the_lexicon_lacks_are_not_heard() -> None:
    assert [h.text for h in read(heard("a|d.e.r|..."), ["A RED", "A DEER"])] == ["A DEER"]
    without = Lexicon({word: ways for word, ways in SAID.pronunciations.items() if word != "DEER"})
    assert "DEER" not in " ".join(h.text for h in read(heard("a|d.e.r|..."), ["A RED", "A DEER"], without, n_best=20))


def test_a_word_that_the_end_of_the_recording_cuts_off_still_ends() -> None:
    assert [h.text for h in read(heard("a|...r.e.d"), ["A RED"])] == ["A RED"]


def test_half_a_word_is_no_word() -> None:
    """Nothing that is read ends within a word, however well its beginning was heard."""
    texts = {h.text for h in read(heard("a|...d..e", spread=0.01), ["A DEER", "A RED"], n_best=20)}
    assert texts and texts <= {" ".join(words) for n in range(5) for words in product(["A", "DEER", "RED"], repeat=n)}


def test_what_was_said_before_half_a_word_is_read() -> None:
    """Though no prefix that is left ends with a word."""
    assert [h.text for h in read(heard("a|...d.e", spread=1e-9), ["A DEER"])] == ["A"]


@pytest.mark.parametrize(("frames", "texts"), [("r.ed", {"RED", "READ"}), ("red", {"RED"})])
def test_a_reading_of_more_letters_than_frames_is_left_out(frames: str, texts: set[str]) -> None:
    """READ has four letters; of three frames no alignment could say where they are."""
    found = read(heard(frames), ["RED", "READ"], n_best=4)
    assert {h.text for h in found if len(h.text) > 2} == texts


def test_two_equal_letters_need_a_frame_between_them() -> None:
    assert "DEER" in {h.text for h in read(heard("d.e.r"), ["DEER"], n_best=4)}
    assert "DEER" not in {h.text for h in read(heard("d.er"), ["DEER"], n_best=4)}


def test_frames_are_those_of_the_letters_wherever_the_phones_are() -> None:
    (best,) = read(heard("..a|.red|....", "A...  .R..ED."), ["A RED"])
    assert (best.text, best.labels) == ("A RED", tuple(LETTERS.encode("A RED").tolist()))
    assert best.frames == (0, 4, 7, 10, 11)


def test_a_word_with_a_letter_that_the_network_cannot_write_is_left_out() -> None:
    lexicon = Lexicon({"RED": (("r", "e", "d"),), "WRED": (("r", "e", "d"),)})
    found = read(heard("r.e.d|..."), ["WRED WRED WRED", "RED"], lexicon, n_best=5)
    assert [h.text for h in found if len(h.text) > 2] == ["RED"]
