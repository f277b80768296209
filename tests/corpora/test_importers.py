"""Each importer on a small corpus in the layout its corpus is published in."""

from __future__ import annotations

from pathlib import Path

import pytest

from asr.corpora import CORPORA
from asr.corpora.prepare import prepare
from asr.data import Utterance, read_manifest
from asr.errors import CorpusError


def imported(corpus: str, folder: Path) -> tuple[dict[str, list[Utterance]], dict[str, dict[str, list[str]]]]:
    """The manifests by name, and what was dropped of each."""
    out = folder.parent / f"{folder.name}.manifests"
    summary = prepare(corpus, folder, out)
    utterances = {m.path.stem: read_manifest(m.path) for m in summary.manifests if m.utterances}
    return utterances, {m.path.stem: m.dropped for m in summary.manifests}


def texts(utterances: list[Utterance]) -> dict[str, tuple[str, str]]:
    """id → text, speaker."""
    return {u.id: (u.text, u.speaker) for u in utterances}


class TestLibriSpeech:
    def test_each_subset_is_a_manifest(self, tmp_path, record, write):
        root = tmp_path / "LibriSpeech"
        for subset, speaker in (("dev-clean", "84"), ("train-clean-5", "19")):
            chapter = root / subset / speaker / "121"
            write(chapter / f"{speaker}-121.trans.txt", f"{speaker}-121-0000 GO DO YOU HEAR\n{speaker}-121-0001 IT'S\n")
            record(chapter / f"{speaker}-121-0000.flac")
            record(chapter / f"{speaker}-121-0001.flac", 1.25)
        utterances, dropped = imported("librispeech", root)
        assert list(utterances) == ["dev-clean", "train-clean-5"]
        assert texts(utterances["dev-clean"]) == {
            "84-121-0000": ("GO DO YOU HEAR", "84"),
            "84-121-0001": ("IT'S", "84"),
        }
        assert [u.duration for u in utterances["dev-clean"]] == [0.5, 1.25]
        assert dropped == {"dev-clean": {}, "train-clean-5": {}}

    @pytest.mark.parametrize("start", ["LibriSpeech", "LibriSpeech/dev-clean", "LibriSpeech/dev-clean/84/121"])
    def test_any_folder_above_the_transcripts_will_do(self, tmp_path, record, write, start):
        chapter = tmp_path / "LibriSpeech/dev-clean/84/121"
        write(chapter / "84-121.trans.txt", "84-121-0000 GO\n")
        record(chapter / "84-121-0000.flac")
        assert list(imported("librispeech", tmp_path / start)[0]) == ["dev-clean"]

    def test_a_linked_subset_is_found_and_a_loop_is_not_followed_for_ever(self, tmp_path, record, write):
        write(tmp_path / "elsewhere/84/121/84-121.trans.txt", "84-121-0000 GO\n")
        record(tmp_path / "elsewhere/84/121/84-121-0000.flac")
        (tmp_path / "LibriSpeech").mkdir()
        (tmp_path / "LibriSpeech/dev-clean").symlink_to(tmp_path / "elsewhere")
        (tmp_path / "elsewhere/loop").symlink_to(tmp_path / "LibriSpeech")
        utterances, _ = imported("librispeech", tmp_path / "LibriSpeech")
        assert [u.id for u in utterances["dev-clean"]] == ["84-121-0000"]

    def test_what_is_dropped(self, tmp_path, record, write):
        chapter = tmp_path / "L/dev-clean/84/121"
        write(chapter / "84-121.trans.txt", "a GOOD\nb\nmissing GONE\na AGAIN\n")
        record(chapter / "a.flac")
        record(chapter / "b.flac")
        record(chapter / "untold.flac")
        _, dropped = imported("librispeech", tmp_path / "L")
        assert dropped["dev-clean"] == {
            "empty transcript": ["b"],
            "missing audio": ["missing"],
            "duplicate id": ["a"],
            "no transcript": ["untold"],
        }


class TestAn4:
    @pytest.fixture
    def an4(self, tmp_path, record, write) -> Path:
        root = tmp_path / "an4"
        write(root / "etc/an4_train.fileids", "an4_clstk/fash/an251-fash-b\nan4_clstk/mblb/cen1-mblb-b\n")
        write(
            root / "etc/an4_train.transcription",
            "<s> YES </s> (an251-fash-b)\n<s> U M N Y H SIX </s> (cen1-mblb-b)\n",
        )
        write(root / "etc/an4_test.fileids", "\nan4test_clstk/fjlp/an416-fjlp-b\n")
        write(root / "etc/an4_test.transcription", "\nNO (an416-fjlp-b)\n")
        for file in ("an4_clstk/fash/an251-fash-b", "an4_clstk/mblb/cen1-mblb-b", "an4test_clstk/fjlp/an416-fjlp-b"):
            record(root / f"wav/{file}.sph", format="NIST", subtype="PCM_16", endian="BIG")
        return root

    def test_train_and_test_without_their_sentence_marks(self, an4):
        utterances, dropped = imported("an4", an4)
        assert texts(utterances["train"]) == {
            "an251-fash-b": ("YES", "fash"),
            "cen1-mblb-b": ("U M N Y H SIX", "mblb"),
        }
        assert texts(utterances["test"]) == {"an416-fjlp-b": ("NO", "fjlp")}
        assert dropped == {"train": {}, "test": {}}

    def test_recordings_that_no_list_names_have_no_transcript(self, an4, record):
        record(an4 / "wav/an4test_clstk/fcaw/an406-fcaw-b.flac")
        _, dropped = imported("an4", an4)
        assert dropped["test"] == {"no transcript": ["an406-fcaw-b"]}

    def test_a_listed_file_without_transcript_and_a_transcript_without_listed_file(self, an4, write):
        write(an4 / "etc/an4_test.fileids", "an4test_clstk/fjlp/an416-fjlp-b\nan4test_clstk/fjlp/an417-fjlp-b\n")
        write(an4 / "etc/an4_test.transcription", "NO (an416-fjlp-b)\nGO (an418-fjlp-b)\n")
        _, dropped = imported("an4", an4)
        assert dropped["test"] == {"no transcript": ["an417-fjlp-b"], "missing audio": ["an418-fjlp-b"]}


class TestFsdd:
    def test_the_name_says_digit_and_speaker(self, tmp_path, record):
        for name in ("0_george_0", "7_jackson_32", "9_van_der_berg_1"):
            record(tmp_path / f"recordings/{name}.wav", sample_rate=8000)
        record(tmp_path / "recordings/ten_george_0.wav", sample_rate=8000)
        utterances, dropped = imported("fsdd", tmp_path)
        assert texts(utterances["all"]) == {
            "0_george_0": ("ZERO", "george"),
            "7_jackson_32": ("SEVEN", "jackson"),
            "9_van_der_berg_1": ("NINE", "van_der_berg"),
        }
        assert dropped["all"] == {"file name does not say what was spoken": ["ten_george_0"]}


class TestLjSpeech:
    def test_the_text_is_the_one_read_aloud(self, tmp_path, record, write):
        write(
            tmp_path / "metadata.csv", 'LJ001-0007|the "42-line" Bible|the "forty-two-line" Bible\r\nLJ001-0008|x|x\n'
        )
        record(tmp_path / "wavs/LJ001-0007.wav", sample_rate=22050)
        utterances, dropped = imported("ljspeech", tmp_path)
        assert texts(utterances["all"]) == {"LJ001-0007": ('the "forty-two-line" Bible', "LJ")}
        assert dropped["all"] == {"missing audio": ["LJ001-0008"]}


class TestCommonVoice:
    HEADER = "client_id\tpath\tsentence\tup_votes\tlocale\n"

    def test_each_split_is_a_manifest_and_quotes_are_text(self, tmp_path, record, write):
        write(tmp_path / "train.tsv", self.HEADER + 'c1\tcv_1.mp3\t"Hello," he said.\t2\ten\n')
        write(
            tmp_path / "dev.tsv",
            self.HEADER + "c2\tcv_2.mp3\tBye\u2028bye.\t2\ten\r\nc3\tcv_3.mp3\t\t2\ten\n\tcv_2.mp3\tX\n",
        )
        for number in (1, 2, 3):
            record(tmp_path / f"clips/cv_{number}.mp3", sample_rate=48000)
        utterances, dropped = imported("common_voice", tmp_path)
        assert texts(utterances["train"]) == {"cv_1": ('"Hello," he said.', "c1")}
        assert texts(utterances["dev"]) == {"cv_2": ("Bye\u2028bye.", "c2")}
        assert dropped["dev"] == {"empty transcript": ["cv_3"], "no speaker": ["cv_2"]}

    def test_a_list_without_its_columns(self, tmp_path, write):
        write(tmp_path / "dev.tsv", "path\ttext\n")
        with pytest.raises(CorpusError, match="no column client_id, sentence; the header has path, text"):
            prepare("common_voice", tmp_path)


class TestKaldi:
    def test_a_data_folder(self, tmp_path, record, write):
        data = tmp_path / "corpus/train"
        write(data / "wav.scp", "u1 WAVE/a.wav\nu2 WAVE/b.wav\n")
        write(data / "text", "u1 WE CALL IT BEAR\nu2 GO\n")
        write(data / "utt2spk", "u1 0001\nu2 0002\n")
        record(tmp_path / "corpus/WAVE/a.wav")
        record(data / "WAVE/b.flac")
        utterances, _ = imported("kaldi", data)
        assert texts(utterances["train"]) == {"u1": ("WE CALL IT BEAR", "0001"), "u2": ("GO", "0002")}
        assert imported("kaldi", tmp_path / "corpus")[0].keys() == {"train"}

    def test_segments_cut_a_recording(self, tmp_path, record, write):
        record(tmp_path / "data/r.wav", 3.0)
        write(tmp_path / "data/wav.scp", "r r.wav\n")
        write(
            tmp_path / "data/segments", "s1 r 0.5 1.5\ns2 r 1.5 -1\nlate r 3.5 4\nback r 2 1\nlong r 2 3.2\nodd r 2\n"
        )
        write(
            tmp_path / "data/text", "".join(f"{key} GO\n" for key in ("s1", "s2", "late", "back", "long", "odd", "un"))
        )
        utterances, dropped = imported("kaldi", tmp_path / "data")
        spans = {u.id: (u.offset, u.duration) for u in utterances["data"]}
        assert spans == {"s1": (0.5, 1.0), "s2": (1.5, 1.5)}
        assert dropped["data"] == {
            "segment is not inside its recording": ["late", "back", "long", "odd"],
            "missing audio": ["un"],
        }

    def test_commands_are_not_run_but_decoders_are_read_through(self, tmp_path, record, write):
        record(tmp_path / "data/a.sph", format="NIST", subtype="PCM_16", endian="BIG")
        record(tmp_path / "data/b.flac")
        write(
            tmp_path / "data/wav.scp",
            "a sph2pipe -f wav -p a.sph |\nb flac -c -d -s b.flac |\nleft sph2pipe -f wav -c 1 a.sph |\n"
            f"evil touch {tmp_path}/touched |\nquote sph2pipe 'a.sph |\n",
        )
        write(tmp_path / "data/text", "a A\nb B\nleft L\nevil E\nquote Q\n")
        utterances, dropped = imported("kaldi", tmp_path / "data")
        assert [u.id for u in utterances["data"]] == ["a", "b"]
        assert dropped["data"] == {"wav.scp names a command, which is not run": ["left", "evil", "quote"]}
        assert not (tmp_path / "touched").exists()

    def test_what_its_tables_lack(self, tmp_path, record, write):
        data = tmp_path / "data"
        record(data / "a.wav")
        write(data / "wav.scp", "mute a.wav\nnobody a.wav\nfine a.wav\nempty a.wav\n")
        write(data / "text", "nobody HERE\nfine YES\nempty\n")
        write(data / "utt2spk", "mute s\nfine s\nempty s\n")
        _, dropped = imported("kaldi", data)
        assert dropped["data"] == {"no transcript": ["mute"], "no speaker": ["nobody"], "empty transcript": ["empty"]}

    def test_without_utt2spk_each_utterance_is_its_own_speaker(self, tmp_path, record, write):
        record(tmp_path / "data/a.wav")
        write(tmp_path / "data/wav.scp", "u a.wav\n")
        write(tmp_path / "data/text", "u GO\n")
        assert texts(imported("kaldi", tmp_path / "data")[0]["data"]) == {"u": ("GO", "u")}

    def test_wav_scp_without_text(self, tmp_path, write):
        write(tmp_path / "wav.scp", "u a.wav\n")
        with pytest.raises(CorpusError, match="text beside wav.scp"):
            prepare("kaldi", tmp_path)


class TestFolder:
    def test_transcripts_beside_recordings_at_any_depth(self, tmp_path, record, write):
        root = tmp_path / "voices"
        for name in ("top", "anna/1", "ben/x/1", "ben/x/untold"):
            record(root / f"{name}.wav")
        write(root / "top.txt", "\ufeffTop.\n")
        write(root / "anna/1.txt", "two\nlines\n")
        write(root / "ben/x/1.txt", "Deep.")
        record(root / "anna/bad.wav")
        (root / "anna/bad.txt").write_bytes(b"caf\xe9")
        utterances, dropped = imported("folder", root)
        assert texts(utterances["all"]) == {
            "anna/1": ("two lines", "anna"),
            "ben/x/1": ("Deep.", "ben/x"),
            "top": ("Top.", "voices"),
        }
        assert dropped["all"] == {"transcript is not UTF-8": ["anna/bad"], "no transcript": ["ben/x/untold"]}

    def test_recordings_alone_are_no_corpus(self, tmp_path, record):
        record(tmp_path / "a.wav")
        with pytest.raises(CorpusError, match="1 recordings, none with a transcript beside it"):
            prepare("folder", tmp_path)


class TestCsv:
    def test_quoted_commas_and_other_columns(self, tmp_path, record, write):
        record(tmp_path / "clips/1.wav")
        record(tmp_path / "clips/2.wav")
        write(
            tmp_path / "my.csv",
            '\ufeffAudio,length,text,Speaker\r\nclips/1.wav,9,"Well, ""hello""",anna\r\n'
            "clips/2.wav,9,Bye,\r\n,9,nothing\r\n",
        )
        utterances, dropped = imported("csv", tmp_path)
        assert texts(utterances["my"]) == {"clips/1": ('Well, "hello"', "anna"), "clips/2": ("Bye", "clips/2")}
        assert dropped["my"] == {"missing audio": ["row 3"]}

    def test_one_tsv_file_with_ids(self, tmp_path, record, write):
        record(tmp_path / "1.wav")
        table = write(tmp_path / "my.tsv", 'id\tpath\tsentence\nfirst\t1.wav\t"Hello" she said\nsecond\n')
        out = tmp_path / "out"
        summary = prepare("csv", table, out)
        assert texts(read_manifest(out / "my.jsonl")) == {"first": ('"Hello" she said', "first")}
        assert summary.manifests[0].dropped == {"missing audio": ["row 2"]}

    @pytest.mark.parametrize(
        ("content", "complaint"),
        [
            ("audio,words\n", "needs a column text or sentence; the columns are audio, words"),
            ("", "needs a column audio or path; the columns are none"),
            ('audio,text\n"a,b\n', "line 2"),
        ],
    )
    def test_what_is_no_table(self, tmp_path, write, content, complaint):
        write(tmp_path / "my.csv", content)
        with pytest.raises(CorpusError, match=complaint):
            prepare("csv", tmp_path)

    def test_a_folder_without_tables(self, tmp_path):
        with pytest.raises(CorpusError, match=r"looked for \*\.csv or \*\.tsv"):
            prepare("csv", tmp_path)


class TestNemo:
    def test_lines_with_and_without_offsets(self, tmp_path, record, write):
        record(tmp_path / "in/wav/1.wav", 3.0)
        write(
            tmp_path / "in/train.json",
            '{"audio_filepath": "wav/1.wav", "duration": 3.0, "text": "whole", "speaker": 7}\n'
            '{"audio_filepath": "wav/1.wav", "offset": 1.5, "duration": 1, "text": "part"}\n'
            '{"audio_filepath": "wav/1.wav", "offset": 2.5, "duration": 1, "text": "over"}\n'
            '{"audio_filepath": "wav/1.wav", "id": "mute"}\n'
            '{"audio_filepath": 7}\nnot json\n{"audio_filepath": "a.wav", "text": "x", "duration": NaN}\n',
        )
        write(tmp_path / "in/other.json", '{"not": "a manifest"}\n')
        utterances, dropped = imported("nemo", tmp_path / "in")
        assert {u.id: (u.offset, u.duration, u.speaker) for u in utterances["train"]} == {
            "wav/1": (0.0, 3.0, "7"),
            "wav/1@1500": (1.5, 1.0, "wav/1@1500"),
        }
        assert dropped["train"] == {
            "line cannot be read": ["line 5", "line 6", "line 7"],
            "segment is not inside its recording": ["wav/1@2500"],
            "no transcript": ["mute"],
        }

    def test_absolute_paths_give_the_same_ids_wherever_they_lie(self, tmp_path, record, write):
        for machine in ("here", "there"):
            lines = ""
            for name in ("anna/1.wav", "ben/1.wav"):
                path = record(tmp_path / machine / "clips" / name)
                lines += f'{{"audio_filepath": "{path}", "text": "x"}}\n'
            write(tmp_path / machine / "list/all.jsonl", lines)
            utterances, _ = imported("nemo", tmp_path / machine / "list")
            assert [u.id for u in utterances["all"]] == ["anna/1", "ben/1"]

    @pytest.mark.parametrize("out", ["", "."])
    def test_the_manifest_read_is_not_written_over(self, tmp_path, record, write, out):
        record(tmp_path / "1.wav")
        manifest = write(tmp_path / "all.jsonl", '{"audio_filepath": "1.wav", "text": "x"}\nbroken\n')
        before = manifest.read_text()
        with pytest.raises(CorpusError, match="written over the manifest read"):
            prepare("nemo", manifest if out else tmp_path, tmp_path / out)
        assert manifest.read_text() == before


@pytest.mark.parametrize("corpus", CORPORA)
def test_an_empty_folder_is_no_corpus_and_the_error_says_what_was_looked_for(tmp_path, corpus):
    with pytest.raises(CorpusError, match=f"{tmp_path.name}.*looked for "):
        prepare(corpus, tmp_path)


def test_the_right_folder_is_named_when_it_is_near(tmp_path, record):
    record(tmp_path / "digits/recordings/0_anna_0.wav")
    with pytest.raises(CorpusError, match=f"there is one in {tmp_path}/digits: name that folder"):
        prepare("fsdd", tmp_path)


@pytest.mark.parametrize("suffix", [".flac", ".wav", ".ogg", ".mp3", ".opus", ".sph", ".WAV"])
def test_any_audio_suffix_stands_in_for_the_published_one(tmp_path, record, write, suffix):
    chapter = tmp_path / "L/dev-clean/84/121"
    write(chapter / "84-121.trans.txt", "84-121-0000 GO\n")
    formats = {".opus": {"format": "OGG", "subtype": "OPUS"}, ".sph": {"format": "NIST"}}
    record(chapter / f"84-121-0000{suffix}", **formats.get(suffix, {}))
    utterances, _ = imported("librispeech", tmp_path / "L")
    assert utterances["dev-clean"][0].audio_filepath.endswith(f"84-121-0000{suffix}")
