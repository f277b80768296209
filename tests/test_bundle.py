"""A bundle is whole and unchanged, or it is refused before anything in it is parsed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from asr.bundle import (
    DEFAULT,
    default_bundle,
    find_bundle,
    load_bundle,
    read_normaliser,
    shipped_bundles,
    write_bundle,
    write_decoder,
)
from asr.card import ModelCard, read_card
from asr.decoding import DecoderSettings, FusionWeights, PhoneSettings
from asr.decoding.calibration import Calibration
from asr.errors import BundleCorruptError, BundleError, BundleNotFoundError, ConfigError
from asr.features import Cmvn, FrontEnd, UtteranceCmvn
from asr.files import sha256_of
from asr.lm import Pronunciations, train_ngram
from asr.text import Lexicon, Phones, Vocabulary

FRONT_END = FrontEnd(8000, 80, np.hanning(200).astype(np.float32), 1e-10)
VOCABULARY = Vocabulary((" ", "A"))
PHONES = Phones(("æ", "ə"))


def model_bytes(features: int = 101, phones: Phones | None = None) -> bytes:
    """A graph with the right inputs and outputs, and nothing between them."""
    labels = len(VOCABULARY) + len(phones or ())
    value, number = helper.make_tensor_value_info, TensorProto.FLOAT
    inputs = [value("features", number, ["B", "T", features]), value("feature_lengths", TensorProto.INT64, ["B"])]
    outputs = [value("log_probs", number, ["B", "S", labels]), value("log_prob_lengths", TensorProto.INT64, ["B"])]
    graph = helper.make_graph([], "empty", inputs, outputs)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(proto.SerializeToString())


def made(
    folder: Path,
    *,
    cmvn: Cmvn | UtteranceCmvn | None = None,
    models: tuple[str, ...] = ("int8",),
    phones: Phones | None = None,
) -> Path:
    source = folder.parent / "model.onnx"
    source.write_bytes(model_bytes(phones=phones))
    return write_bundle(
        folder,
        card=ModelCard(0.02, title="tëst"),
        front_end=FRONT_END,
        cmvn=cmvn or UtteranceCmvn(),
        vocabulary=VOCABULARY,
        normaliser="upper_letters",
        models={precision: source for precision in models},
        phones=phones,
    )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    cmvn = Cmvn(np.arange(101, dtype=np.float32), np.ones(101, np.float32))
    bundle = load_bundle(made(tmp_path / "b", cmvn=cmvn, models=("float32", "int8")))
    assert (bundle.card.title, bundle.frame_s, bundle.precisions) == ("tëst", 0.02, ("int8", "float32"))
    assert bundle.vocabulary == VOCABULARY
    np.testing.assert_array_equal(bundle.cmvn(np.zeros((1, 101), np.float32)), -cmvn.mean[None])
    samples = np.random.default_rng(0).normal(size=900).astype(np.float32)
    np.testing.assert_array_equal(bundle.front_end(samples), FRONT_END(samples))
    assert bundle.model_path().name == "int8.onnx"
    assert bundle.model_path("float32").read_bytes() == model_bytes()


def test_the_normaliser_is_part_of_it(tmp_path: Path) -> None:
    folder = made(tmp_path / "b")
    assert json.loads((folder / "normaliser.json").read_text()) == {"name": "upper_letters"}
    assert load_bundle(folder).normaliser == read_normaliser(folder) == "upper_letters"
    assert "normaliser.json" in json.loads((folder / "bundle.json").read_text())["sha256"]


def without_normaliser(folder: Path, card: dict[str, object]) -> Path:
    """A bundle as they were before: its card alone says how its transcripts were written."""
    (folder / "normaliser.json").unlink()
    (folder / "card.json").write_text(json.dumps({"frame_s": 0.02} | card))
    index = json.loads((folder / "bundle.json").read_text())
    del index["sha256"]["normaliser.json"]
    index["sha256"]["card.json"] = sha256_of(folder / "card.json")
    (folder / "bundle.json").write_text(json.dumps(index))
    return folder


def test_in_a_bundle_of_before_the_normaliser_is_the_one_that_its_run_was_given(tmp_path: Path) -> None:
    config = {"config": {"data": {"normaliser": "verbatim"}}}
    folder = without_normaliser(made(tmp_path / "b"), config)
    assert load_bundle(folder).normaliser == read_normaliser(folder) == "verbatim"


@pytest.mark.parametrize("card", [{}, {"config": {"data": {}}}, {"config": {"data": None}}])
def test_a_bundle_that_says_nothing_of_its_texts_is_refused(tmp_path: Path, card: dict[str, object]) -> None:
    folder = without_normaliser(made(tmp_path / "b"), card)
    with pytest.raises(BundleCorruptError, match="does not say which normaliser .* export its run again"):
        load_bundle(folder)


FAULTS = {
    "[]": "ModelCard must be a mapping",
    "{}": "frame_s must be given: a number",
    '{"frame_s": "fast"}': "frame_s must be a number, got 'fast'",
    '{"frame_s": 0.02, "titel": "t"}': r"no setting 'titel'; did you mean title\?",
    '{"frame_s": 0.02, "data": [{"name": "n"}]}': r"data\[0\]\.licence must be given: text",
    '{"frame_s": 0.02, "decoder": {"dev": 1, "confidence": 2}}': r"decoder\.dev must be a mapping .*, got 1",
    "[" * 100_000: "cannot be read",
}


@pytest.mark.parametrize("text", FAULTS, ids=lambda text: text[:40])
def test_a_faulty_card_is_refused_by_its_file_and_field(text: str, tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text(text)
    with pytest.raises(BundleCorruptError, match=rf"card\.json: {FAULTS[text]}"):
        read_card(tmp_path)


def test_a_card_is_read_as_it_was_written() -> None:
    for folder in shipped_bundles():
        card = read_card(folder)
        assert card.to_json() == json.loads((folder / "card.json").read_text(encoding="utf-8"))


def test_a_normaliser_that_this_version_lacks_is_refused_by_its_name(tmp_path: Path) -> None:
    folder = without_normaliser(made(tmp_path / "b"), {"config": {"data": {"normaliser": "klingon"}}})
    with pytest.raises(BundleCorruptError, match="no text normaliser 'klingon'.* another version of asr"):
        load_bundle(folder)


def test_the_bundles_that_ship_name_their_normaliser_themselves() -> None:
    for folder in shipped_bundles():
        assert (folder / "normaliser.json").is_file()
        assert load_bundle(folder).normaliser == "upper_letters"


def test_the_phones_that_it_hears_are_part_of_it(tmp_path: Path) -> None:
    folder = made(tmp_path / "b", phones=PHONES)
    assert load_bundle(folder).phones == PHONES
    assert json.loads((folder / "phones.json").read_text(encoding="utf-8")) == ["æ", "ə"]
    assert load_bundle(made(tmp_path / "without")).phones is None
    (folder / "phones.json").write_text('["ə", "æ"]', encoding="utf-8")
    with pytest.raises(BundleCorruptError, match=r"phones\.json has SHA-256"):
        load_bundle(folder)


@pytest.mark.parametrize("part", ["card.json", "front_end.npz", "cmvn.npz", "vocabulary.json", "int8.onnx"])
def test_a_changed_or_missing_part_is_refused_by_name(part: str, tmp_path: Path) -> None:
    folder = made(tmp_path / "b")
    with open(folder / part, "ab") as file:
        file.write(b" ")
    with pytest.raises(BundleCorruptError, match=f"{part} has SHA-256"):
        load_bundle(folder)
    (folder / part).unlink()
    with pytest.raises(BundleCorruptError, match=f"{part} is missing"):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("index", "words"),
    [
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ({"format": 2, "sha256": {}}, "format 2"),
        ({"format": 1, "sha256": {}}, "lists no card.json"),
        ({"drop": "int8.onnx"}, "lists no model"),
        ({"add": "../model.onnx"}, "lists '../model.onnx', which no bundle has"),
        ({"add": "phones.json"}, "phones.json is missing"),
        ({"add": "int8.onnx\0"}, "which no bundle has"),
        ("[" * 100_000, "nested too deep"),
    ],
)
def test_a_wrong_index_is_refused(index: str | dict, words: str, tmp_path: Path) -> None:
    path = made(tmp_path / "b") / "bundle.json"
    if isinstance(index, dict) and "format" not in index:
        content = json.loads(path.read_text())
        content["sha256"].pop(index.get("drop"), None)
        content["sha256"] |= {index["add"]: "0"} if "add" in index else {}
        index = content
    path.write_text(index if isinstance(index, str) else json.dumps(index))
    with pytest.raises(BundleCorruptError, match=words):
        load_bundle(path.parent)


def test_a_new_bundle_takes_the_place_of_the_old(tmp_path: Path) -> None:
    made(tmp_path / "b", models=("float32", "int8"))
    made(tmp_path / "b")
    assert load_bundle(tmp_path / "b").precisions == ("int8",)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b", "model.onnx"]


def test_a_folder_of_something_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.tex").write_text("years of work")
    with pytest.raises(BundleError, match="not a bundle; remove it"):
        made(tmp_path / "b")
    assert (tmp_path / "b" / "thesis.tex").read_text() == "years of work"


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_bundle(
            tmp_path / "b",
            card=ModelCard(0.02),
            front_end=FRONT_END,
            cmvn=UtteranceCmvn(),
            vocabulary=VOCABULARY,
            normaliser="upper_letters",
            models={"int8": tmp_path / "absent.onnx"},
        )
    assert not list(tmp_path.iterdir())


def test_no_model_or_an_unknown_precision_is_refused(tmp_path: Path) -> None:
    for models in [(), ("int4",)]:
        with pytest.raises(BundleError, match="int8 or float32"):
            made(tmp_path / "b", models=models)
    with pytest.raises(BundleError, match="no float32 model, only int8"):
        load_bundle(made(tmp_path / "b")).model_path("float32")


def test_an_unknown_name_lists_what_ships() -> None:
    with pytest.raises(BundleNotFoundError, match="an4"):
        find_bundle("an5")


def test_the_default_ships() -> None:
    assert load_bundle().path == find_bundle(DEFAULT)


def test_the_user_may_name_another_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = made(tmp_path / "own")
    monkeypatch.setenv("ASR_MODEL", str(own))
    assert (find_bundle(), load_bundle().path, default_bundle()) == (own, own, str(own))
    assert find_bundle(DEFAULT).name == DEFAULT, "what is named goes before"
    monkeypatch.setenv("ASR_MODEL", "")
    assert find_bundle().name == DEFAULT, "an empty variable is none"


def test_a_default_of_the_user_that_is_not_there_is_told_from_a_name_in_the_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ASR_MODEL", "an5")
    with pytest.raises(BundleNotFoundError, match=r"^ASR_MODEL names no bundle 'an5': not in this package \(an4, "):
        find_bundle()
    with pytest.raises(BundleNotFoundError, match="^no bundle 'an6'"):
        find_bundle("an6")


SETTINGS = DecoderSettings(
    FusionWeights(alpha=0.9, beta=1.5, unknown_score=-4.0, prior_scale=0.5),
    beam_width=32,
    calibration=Calibration(0.7, -0.2),
    usual_confidence=0.9,
    priors=(-0.4, -1.1, -3.0),
    phones=PhoneSettings(FusionWeights(alpha=0.6, beta=-0.5, prior_scale=0.25), priors=(-0.1, -3.0, -4.0, -2.5)),
)


def test_a_bundle_without_a_decoder_has_the_settings_of_none(tmp_path: Path) -> None:
    bundle = load_bundle(made(tmp_path / "b"))
    assert (bundle.decoder, bundle.language_model) == (DecoderSettings(), None)


def test_a_share_of_the_priors_needs_the_priors() -> None:
    with pytest.raises(ConfigError, match="prior_scale 0.5 needs the priors"):
        DecoderSettings(FusionWeights(prior_scale=0.5))
    with pytest.raises(ConfigError, match="prior_scale 0.5 needs the priors"):
        PhoneSettings(FusionWeights(prior_scale=0.5))


def test_settings_of_before_there_were_priors_and_phones_have_none() -> None:
    stored = DecoderSettings().to_json()
    del stored["priors"], stored["weights"]["prior_scale"], stored["phones"]
    assert DecoderSettings.from_json(stored) == DecoderSettings()
    assert DecoderSettings().phones is None


def test_a_decoder_comes_into_a_bundle_and_goes_out_again(tmp_path: Path) -> None:
    folder, model = made(tmp_path / "b", phones=PHONES), tmp_path / "m.lm"
    model.write_bytes(b"not parsed here either")
    write_decoder(folder, SETTINGS, model, ModelCard(0.02, title="with a model"))
    bundle = load_bundle(folder)
    assert (bundle.decoder, bundle.card.title) == (SETTINGS, "with a model")
    assert bundle.language_model and bundle.language_model.read_bytes() == b"not parsed here either"
    assert bundle.model_path().read_bytes() == model_bytes(phones=PHONES)
    write_decoder(folder, DecoderSettings(), None, bundle.card)
    assert load_bundle(folder).language_model is None
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_pronunciations_come_with_a_model_and_go_with_it(tmp_path: Path) -> None:
    folder, model = made(tmp_path / "b", phones=PHONES), train_ngram(["A", "AA A"], order=1)
    model.save(tmp_path / "m.lm")
    said = Pronunciations.of(model, Lexicon({"A": (("ə",), ("æ",)), "AA": (("æ",),)}), PHONES)
    write_decoder(folder, SETTINGS, tmp_path / "m.lm", ModelCard(0.02), said)
    bundle = load_bundle(folder)
    assert bundle.pronunciations is not None and bundle.phones == PHONES
    for name in ("labels", "words", "num_phones"):
        np.testing.assert_array_equal(getattr(bundle.pronunciations, name), getattr(said, name))
    write_decoder(folder, SETTINGS, tmp_path / "m.lm", bundle.card)
    assert (load_bundle(folder).pronunciations, load_bundle(folder).phones) == (None, PHONES)
    assert not (folder / "pronunciations.npz").exists()


def test_a_decoder_that_cannot_be_written_leaves_the_bundle_as_it_was(tmp_path: Path) -> None:
    folder = made(tmp_path / "b", phones=PHONES)
    with pytest.raises(FileNotFoundError):
        write_decoder(folder, SETTINGS, tmp_path / "none.lm", ModelCard(0.5))
    assert load_bundle(folder).frame_s == 0.02
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        '{"weights": {"alpha": -1}, "beam_width": 4}',
        '{"weights": {}, "beam_width": 0}',
        json.dumps({**DecoderSettings().to_json(), "phones": {"weights": {"alpha": -1}, "priors": []}}),
        json.dumps({**DecoderSettings().to_json(), "phones": {"priors": []}}),
    ],
)
def test_settings_that_are_none_are_refused(text: str, tmp_path: Path) -> None:
    folder = made(tmp_path / "b")
    write_decoder(folder, DecoderSettings(), None, ModelCard(0.02))
    (folder / "decoder.json").write_text(text)
    index = json.loads((folder / "bundle.json").read_text())
    index["sha256"]["decoder.json"] = sha256_of(folder / "decoder.json")
    (folder / "bundle.json").write_text(json.dumps(index))
    with pytest.raises(BundleCorruptError, match="decoder.json"):
        load_bundle(folder)


def test_a_decoder_of_before_its_keys_were_renamed_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """Its phones were once called spoken; read by today's names, they would be lost without a word."""
    folder = made(tmp_path / "b")
    write_decoder(folder, DecoderSettings(), None, ModelCard(0.02))
    stored = DecoderSettings().to_json()
    stored["spoken"] = stored.pop("phones")
    (folder / "decoder.json").write_text(json.dumps(stored))
    index = json.loads((folder / "bundle.json").read_text())
    index["sha256"]["decoder.json"] = sha256_of(folder / "decoder.json")
    (folder / "bundle.json").write_text(json.dumps(index))
    with pytest.raises(BundleCorruptError, match=r"decoder\.json: .*'spoken' is now 'phones'; tune them again by asr"):
        load_bundle(folder)
