"""The page's content: numbers are the evaluation's, texts cannot become markup, and nothing is fetched."""

import base64
import hashlib
import html
import json
import re
from html.parser import HTMLParser

import pytest

from asr.errors import AudioEmptyError, EvaluationError
from asr.evaluation import evaluate
from asr.evaluation.hypotheses import HypothesisWord
from asr.evaluation.report import Report, System, write_report
from asr.evaluation.report.write import render
from asr.evaluation.text_files import TextReference

HOSTILE = "</script><script>alert('x')</script><img src=x onerror=\"alert(1)\">"
ROWS = [("a1", "THE CAT SAT", "THE BAT", "ann"), ("a2", "OH", "OH", "ann"), ("b1", "GO ON", "GO ON NOW", "ben")]
WORDS = {"a1": (HypothesisWord("THE", 0.0, 0.5, 0.9), HypothesisWord("BAT", 0.5, 0.75, 0.25))}


def report(rows=ROWS, beside=(), normaliser="upper_letters", **more):
    references = [TextReference(name, text, speaker) for name, text, _, speaker in rows]
    own = System("own", evaluate(references, [text for *_, text, _ in rows], normaliser), WORDS)
    others = tuple(System(name, evaluate(references, texts, normaliser)) for name, texts in beside)
    return Report("own on test", {"model": "own", "date": "today"}, own, others, **more)


class Page(HTMLParser):
    """The tags, and the texts of the utterances' cells by id."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.texts.append(data)

    def of(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def table(page, identity):
    """Cells of the rows of the table, or the section's table, with this id."""
    body = re.search(rf'id="{identity}".*?<tbody>(.*?)</tbody>', page, re.S)[1]
    rows = re.findall(r"<tr.*?</tr>", body, re.S)
    return [[strip(cell) for cell in re.findall(r"<t[dh].*?</t[dh]>", row, re.S)] for row in rows]


def strip(markup):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def test_rates_are_the_evaluations():
    made = report()
    found = table(render(made), "rates")
    for row, score in zip(
        found, [made.system.evaluation.normalised.words, made.system.evaluation.normalised.characters], strict=True
    ):
        errors = score.errors
        counts = [errors.substitutions, errors.deletions, errors.insertions, errors.reference_length]
        assert row[2] == f"{100 * errors.rate:.2f}"
        assert row[3] == f"{100 * score.interval.low:.2f} to {100 * score.interval.high:.2f}"
        assert row[5:] == list(map(str, counts))


def test_utterances_speakers_and_lengths_are_counted():
    page = render(report(durations={"a1": 1.0, "a2": 0.5, "b1": 3.25}))
    utterances = table(page, "utterance-table")
    assert [row[1:6] for row in utterances] == [
        ["a1", "ann", "1.0", "2", "66.7"],
        ["b1", "ben", "3.2", "1", "50.0"],
        ["a2", "ann", "0.5", "0", "0.0"],
    ]
    assert [row[:1] + row[2:8] for row in table(page, "speakers")] == [
        ["ann", "38.5", "1", "1", "0", "4", "2"],
        ["ben", "80.0", "0", "0", "1", "2", "1"],
    ]
    assert [row[0] for row in table(page, "lengths")] == ["0 to 2 s", "2 to 4 s"]


def test_errors_are_marked_with_letters_not_by_colour_alone():
    cells = [row[-1] for row in table(render(report()), "utterance-table")]
    assert "CAT BAT S" in cells[0]
    assert "SAT – D" in cells[0]
    assert "NOW I" in cells[1]


def test_another_system_stands_beside_with_its_difference():
    page = render(report(beside=[("HMM", ["THE CAT SAT", "OH", ""])]))
    assert [row[0] for row in table(page, "rates")] == ["own", "HMM", "own", "HMM"]
    own, other = 3 / 6, 2 / 6
    assert table(page, "rates")[1][-1].startswith(f"−{100 * (own - other):.2f} ")
    assert [row[6] for row in table(page, "utterance-table")] == ["0.0", "100.0", "0.0"]
    assert len(re.findall(r"<tr[^>]* data-differs", page)) == 2


def test_what_failed_is_listed_with_its_code_and_counts_as_deletions():
    rows = [*ROWS, ("b2", "NO NO", AudioEmptyError("b2.wav: 0 bytes"), "ben")]
    page = render(report(rows))
    assert table(page, "failures") == [["b2", "audio-empty", "b2.wav: 0 bytes"]]
    (row,) = [row for row in table(page, "utterance-table") if row[1] == "b2"]
    assert row[4] == "2"
    assert "failed, audio-empty" in row[-1]


def test_the_reliability_diagram_is_of_the_words_that_have_a_confidence():
    page = render(report())
    assert "2 words; expected calibration error <b>0.175</b>" in page
    assert table(page, "confidence") == [
        ["20 to 30", "1", "0", "0.0", "25.0"],
        ["90 to 100", "1", "1", "100.0", "90.0"],
    ]


def test_without_any_confidence_there_is_no_diagram():
    made = report()
    assert 'id="confidence"' not in render(Report(made.title, made.facts, System("own", made.system.evaluation)))


@pytest.mark.parametrize(
    "where", ["reference", "hypothesis", "id", "speaker", "system", "title", "fact", "word", "failure"]
)
def test_hostile_text_stays_text(where):
    fields = {name: f"plain {name}" for name in ("reference", "hypothesis", "id", "speaker", "system", "title", "fact")}
    fields |= {"word": "word", "failure": "failure", where: HOSTILE}
    references = [TextReference(fields["id"], fields["reference"], fields["speaker"]), TextReference("f", "A", "s")]
    texts = [fields["hypothesis"], AudioEmptyError(fields["failure"])]
    words = {fields["id"]: (HypothesisWord(fields["word"], 0.0, 1.0, 0.5),)}
    evaluation = evaluate(references, texts, "verbatim")
    page = render(
        Report(
            fields["title"],
            {fields["fact"]: fields["fact"]},
            System(fields["system"], evaluation, words),
            (System("other", evaluation),),
            recordings={fields["id"]: "data:audio/ogg;base64,AAAA"},
        )
    )
    found = Page(page)
    assert len(found.of("script")) == 2
    assert not found.of("img")
    assert not [a for _, attributes in found.tags for a in attributes if a.startswith("on")]
    shown = page if where == "word" else "".join(found.texts) + str(found.tags)
    assert "alert" in shown


def test_recordings_and_words_reach_the_player():
    page = render(report(recordings={"a1": "data:audio/ogg;base64,AAAA"}))
    content = re.search(r'<script type="application/json" id="recordings">(.*?)</script>', page, re.S)[1]
    assert json.loads(content) == {
        "0": {"audio": "data:audio/ogg;base64,AAAA", "words": [["THE", 0.0, 0.5, 0.9], ["BAT", 0.5, 0.75, 0.25]]}
    }
    assert "1 of 3 utterances carry their recording (those with most errors first)" in page
    assert "No recordings in this page." in render(report())


def test_the_policy_allows_the_pages_script_and_nothing_from_elsewhere():
    page = render(report())
    (policy,) = [a["content"] for a in Page(page).of("meta") if "http-equiv" in a]
    script = page.rsplit("<script>", 1)[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy
    assert not re.search(r"https?://", page)
    assert not [
        a for tag, a in Page(page).tags if tag in ("link", "script") and not a.get("href", "data:").startswith("data:")
    ]


def test_the_same_report_gives_the_same_bytes(tmp_path):
    for name in ("first.html", "second.html"):
        write_report(tmp_path / name, report(beside=[("HMM", ["THE", "OH", "GO"])]))
    assert (tmp_path / "first.html").read_bytes() == (tmp_path / "second.html").read_bytes()


def test_insertions_into_nothing_have_no_finite_rate_and_still_a_page():
    page = render(report([("a", "", "OH", "ann"), ("b", "", "", "ben")]))
    assert table(page, "utterance-table")[0][5] == "∞"
    assert 'data-v="Infinity"' in page


def test_systems_of_one_name_or_of_other_references_are_refused(tmp_path):
    with pytest.raises(EvaluationError, match="need different names"):
        render(report(beside=[("own", ["A", "B", "C"])]))
    made = report()
    elsewhere = System("HMM", report(ROWS[:2]).system.evaluation)
    with pytest.raises(EvaluationError, match="HMM was scored on other references than own"):
        render(Report(made.title, made.facts, made.system, (elsewhere,)))


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EvaluationError, match="cannot be written"):
        write_report(tmp_path / "file" / "out.html", report())
