"""The page in a browser, as people use it: played, sorted, filtered, narrow, dark and printed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

from asr.data import Utterance
from asr.errors import AudioNotFoundError
from asr.evaluation import evaluate
from asr.evaluation.hypotheses import HypothesisWord
from asr.evaluation.report import Report, System, embed_recordings, write_report

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver (Debian: chromium, chromium-driver)"
)
SAMPLE = Path(__file__).parents[2] / "recordings" / "sample.wav"
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
TIMEOUT_S = 30


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    """Flite speaking, whole and its beginning, a tone of 1 kHz, and a recording that is missing; an HMM beside."""
    folder = tmp_path_factory.mktemp("report")
    tone = 0.3 * np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000)
    soundfile.write(folder / "tone.wav", tone, 16_000)
    rows = [
        Utterance("flite-1", str(SAMPLE), 1.745, "ENTER FIVE TWO SEVEN", "flite"),
        Utterance("flite-2", str(SAMPLE), 0.9, "ENTER FIVE", "flite"),
        Utterance("tone", str(folder / "tone.wav"), 1.0, "", "nobody"),
        Utterance("gone", str(folder / "gone.wav"), 2.0, "STOP", "nobody"),
    ]
    failed = AudioNotFoundError("gone.wav: no such file")
    own = evaluate(rows, ["ENTER NINE TWO", "ENTER FIVE", "OH", failed])
    other = evaluate(rows, ["ENTER FIVE TWO SEVEN", "CENTRE FIVE", "", failed])
    words = tuple(
        HypothesisWord(text, 0.4 * at, 0.4 * at + 0.3, 0.9) for at, text in enumerate(("ENTER", "NINE", "TWO"))
    )
    report = Report(
        title="flite on four",
        facts={"model": "flite"},
        system=System("own", own, {"flite-1": words}),
        others=(System("HMM", other),),
        durations={row.id: row.duration for row in rows},
        recordings=dict(embed_recordings(rows)),
    )
    write_report(folder / "report.html", report)
    return folder / "report.html"


@pytest.fixture(scope="module")
def driver() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with webdriver.Chrome(options, Service(DRIVER)) as made:
        yield made


@pytest.fixture
def browser(driver, page) -> Iterator[webdriver.Chrome]:
    """At the page, freshly loaded; afterwards its console holds nothing."""
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    driver.set_window_size(1280, 900)
    driver.get(page.as_uri())
    yield driver
    assert driver.get_log("browser") == []


def all_of(browser, selector):
    return browser.find_elements("css selector", selector)


def one(browser, selector):
    return browser.find_element("css selector", selector)


def until(browser, condition):
    return WebDriverWait(browser, TIMEOUT_S, poll_frequency=0.05).until(lambda _: browser.execute_script(condition))


def ids(browser):
    return [cell.text for cell in all_of(browser, "#utterance-table tbody th") if cell.is_displayed()]


def head(browser, name):
    (found,) = [b for b in all_of(browser, "#utterance-table th button") if b.text == name]
    return found


def play(browser, name):
    one(browser, f'button[aria-label="Play {name}"]').click()


def test_playing_moves_the_time_and_the_cursor(browser):
    play(browser, "flite-1")
    until(browser, "return document.querySelector('.player audio').currentTime > 0.2")
    until(browser, "return parseFloat(document.querySelector('.cursor').style.left) > 5")
    assert one(browser, 'button[aria-label="Pause flite-1"]').text == "❚❚"
    assert until(browser, "return document.querySelector('.player audio').ended")
    assert browser.execute_script("return document.querySelector('.player audio').duration") == pytest.approx(
        1.745, abs=0.01
    )
    assert [span.text for span in all_of(browser, ".heard span")] == ["ENTER", "NINE", "TWO"]


def test_one_recording_plays_at_a_time(browser):
    play(browser, "flite-1")
    until(browser, "return document.querySelector('.player audio').currentTime > 0")
    play(browser, "flite-2")
    assert until(browser, "return document.querySelectorAll('.player audio')[0].paused")


def test_a_spectrogram_shows_the_tone_where_it_is(browser):
    """1 kHz is an eighth of the way up to 8 kHz; of 256 rows, the 32nd from below."""
    play(browser, "tone")
    until(browser, "return document.querySelector('.player canvas[data-drawn]')")
    brightest = browser.execute_script(
        """const canvas = document.querySelector(".player canvas");
        const middle = canvas.getContext("2d").getImageData(canvas.width / 2, 0, 1, canvas.height).data;
        const level = (_, y) => middle[4 * y] + middle[4 * y + 1] + middle[4 * y + 2];
        const levels = Array.from({length: canvas.height}, level);
        return [canvas.width, canvas.height, levels.indexOf(Math.max(...levels))];"""
    )
    assert brightest == [200, 256, 255 - 32]


def test_a_click_on_the_spectrogram_seeks(browser):
    play(browser, "flite-1")
    until(browser, "return document.querySelector('.player canvas[data-drawn]')")
    browser.execute_script("document.querySelector('.player audio').pause()")
    one(browser, ".player canvas").click()
    assert until(browser, "return Math.abs(document.querySelector('.player audio').currentTime - 1.745 / 2) < 0.02")


def test_a_recording_that_is_missing_has_no_player(browser):
    row = one(browser, "tr[data-index='3']")
    assert "audio-not-found" in row.text
    assert not row.find_elements("css selector", "button.play")


def test_heads_sort_and_a_second_click_turns_round(browser):
    assert ids(browser) == ["flite-1", "tone", "gone", "flite-2"]
    head(browser, "s").click()
    assert ids(browser) == ["gone", "flite-1", "tone", "flite-2"]
    head(browser, "s").click()
    assert ids(browser) == ["flite-2", "tone", "flite-1", "gone"]
    head(browser, "id").click()
    assert ids(browser) == ["flite-1", "flite-2", "gone", "tone"]
    assert [th.get_attribute("aria-sort") for th in all_of(browser, "#utterance-table th[aria-sort]")] == ["ascending"]
    head(browser, "WER %").click()
    assert ids(browser)[0] == "tone"


def test_a_player_stays_with_its_row(browser):
    play(browser, "flite-2")
    head(browser, "id").click()
    above = "return document.querySelector('tr.player').previousElementSibling.cells[1].textContent"
    assert browser.execute_script(above) == "flite-2"


def test_speakers_sort_too(browser):
    (button,) = [b for b in all_of(browser, "#speakers th button") if b.text == "speaker"]
    button.click()
    button.click()
    assert [cell.text for cell in all_of(browser, "#speakers tbody th")] == ["nobody", "flite"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("SEVEN", ["flite-1"]),
        ("nobody", ["tone", "gone"]),
        ("flite-2", ["flite-2"]),
        ("centre", ["flite-2"]),
        ("zzz", []),
    ],
)
def test_the_filter_finds_ids_speakers_and_words_of_any_system(browser, typed, found):
    one(browser, "#filter-text").send_keys(typed)
    assert ids(browser) == found
    assert one(browser, "#filter-count").text == f"{len(found)} of 4"


def test_only_errors_and_only_differences(browser):
    one(browser, "#filter-errors").click()
    assert ids(browser) == ["flite-1", "tone", "gone"]
    one(browser, "#filter-differs").click()
    assert ids(browser) == ["flite-1", "tone"]


@pytest.mark.parametrize("width", [1280, 1000, 800, 360])
def test_nothing_is_wider_than_the_window(browser, width):
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    )
    play(browser, "flite-1")
    until(browser, "return document.querySelector('.player canvas[data-drawn]')")
    assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_errors_can_be_read_in_light_and_dark(browser, scheme):
    """Text on its background has the contrast that WCAG 2.2 asks for, 4.5; the screenshot is not empty."""
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    body = colours(browser, "body")
    assert (luminance(body[1]) > 0.5) == (scheme == "light")
    pairs = [body, *(colours(browser, f".aligned .{mark}") for mark in "sdi")]
    assert all(contrast(*pair) >= 4.5 for pair in pairs)
    assert contrast(colours(browser, ".quiet")[0], body[1]) >= 4.5
    assert len(browser.get_screenshot_as_png()) > 20_000


def colours(browser, selector):
    style = "const s = getComputedStyle(document.querySelector(arguments[0])); return [s.color, s.backgroundColor]"
    return [
        [int(part) for part in text[text.index("(") + 1 : -1].split(",")[:3]]
        for text in browser.execute_script(style, selector)
    ]


def luminance(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in colour)]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_print_leaves_the_controls_out(browser):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not one(browser, "#filter").is_displayed()
    assert one(browser, "#utterance-table").is_displayed()
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
