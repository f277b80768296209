"""The page in a browser, as people use it: a file, a microphone, a mouse, keys, a narrow screen and a dark one."""

from __future__ import annotations

import base64
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from asr.server.page_files import FOLDER
from tests.server.conftest import SAID, SAMPLE, Running, running

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver (Debian: chromium, chromium-driver)"
)
TIMEOUT_S = 60
FLAGS = (
    "--headless=new",
    "--window-size=1400,1000",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)


def spoken(*seconds_before: float) -> np.ndarray:
    """The sample after each of some pauses, which are faint noise."""
    sample, rate = soundfile.read(SAMPLE, dtype="float32")
    random = np.random.default_rng(0)
    pauses = [random.normal(0, 1e-3, round(s * rate)).astype(np.float32) for s in (*seconds_before, 2.0)]
    return np.concatenate([part for pause in pauses[:-1] for part in (pause, sample)] + pauses[-1:])


class Page:
    """A browser tab with the page."""

    def __init__(self, driver: webdriver.Chrome, folder: Path) -> None:
        self.driver, self.folder = driver, folder

    def open(self, url: str) -> None:
        self.driver.get(url)
        self.until(lambda: self.all("#model option"))

    def until(self, ask: Callable[[], Any]) -> Any:
        return WebDriverWait(self.driver, TIMEOUT_S).until(lambda _: ask())

    def one(self, selector: str) -> Any:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[Any]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def run(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)

    def module(self, script: str, *arguments: object) -> Any:
        """What ``script`` returns, which may await imports of the page's modules."""
        whole = f"const done = arguments[arguments.length - 1]; (async () => {{ {script} }})().then(done)"
        return self.driver.execute_async_script(whole, *arguments)

    def words(self) -> list[str]:
        return [word.text for word in self.all(".word")]

    def choose(self, path: Path) -> None:
        self.one("#file").send_keys(str(path))
        self.finished()

    def finished(self) -> None:
        self.until(lambda: not self.one("#cancel").is_displayed() and "0:" in self.one("#status").text)

    def seconds(self) -> float:
        return self.run("return document.getElementById('audio').currentTime")

    def download(self, selector: str) -> tuple[str, str]:
        """The name and the text of the file that a button gives."""
        path = self.downloaded(selector)
        return path.name, path.read_bytes().decode("utf-8")

    def downloaded(self, selector: str) -> Path:
        before = set(self.folder.iterdir())
        self.one(selector).click()
        (path,) = self.until(lambda: [p for p in set(self.folder.iterdir()) - before if self._is_whole(p)])
        return path

    @staticmethod
    def _is_whole(path: Path) -> bool:
        """While a file is written, Chromium names it otherwise."""
        return path.suffix != ".crdownload" and not path.name.startswith(".")

    def correct(self, word: Any, keys: str) -> None:
        """Double-click a word and type, which replaces it."""
        ActionChains(self.driver).double_click(word).perform()
        self.until(lambda: self.all("textarea"))
        self.driver.switch_to.active_element.send_keys(keys)
        self.until(lambda: not self.all("textarea"))


@contextmanager
def tab(folder: Path, microphone: Path) -> Iterator[Page]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--use-file-for-fake-audio-capture={microphone}%noloop"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.add_experimental_option("prefs", {"download.default_directory": str(folder)})
    with webdriver.Chrome(options, Service(DRIVER)) as driver:
        driver.set_script_timeout(TIMEOUT_S)
        yield Page(driver, folder)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A browser into whose microphone the sample is said three times, with pauses."""
    folder = tmp_path_factory.mktemp("page")
    soundfile.write(folder / "microphone.wav", spoken(1.5, 1.5, 1.0), 16_000)
    (folder / "downloads").mkdir()
    with tab(folder / "downloads", folder / "microphone.wav") as page:
        yield page


@pytest.fixture
def page(browser: Page, server: Running) -> Iterator[Page]:
    """The page anew; nothing of it may fail, or come from elsewhere."""
    browser.open(server.url)
    yield browser
    resources = browser.run("return performance.getEntriesByType('resource').map((each) => each.name)")
    assert all(name.startswith((server.url, "blob:")) for name in resources) and len(resources) > 5
    browser.driver.get("about:blank")
    found = browser.driver.get_log("browser")
    assert not [line for line in found if line["level"] == "SEVERE" and "400" not in line["message"]], found


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recordings") / "Two answers.wav"
    soundfile.write(path, spoken(0.7, 1.5), 16_000)
    return path


# A file


def test_a_file_that_is_chosen_becomes_words_and_files(page: Page, server: Running, recording: Path) -> None:
    page.choose(recording)
    assert page.words() == 2 * SAID.split()
    assert [line.text.replace("\n", " ") for line in page.all(".said p")] == [SAID, SAID]
    assert page.one("#name").text == "Two answers.wav"
    assert page.one("#status").text.startswith(f"{2 * len(SAID.split())} words, 0:")
    with server.client(max_retries=0) as client:
        for suffix in ("srt", "vtt"):
            asked = client.audio.transcriptions.create(file=recording, model="an4", response_format=suffix)
            assert page.download(f'[data-format="{suffix}"]') == (f"Two answers.{suffix}", asked)
        verbose = client.audio.transcriptions.create(
            file=recording, model="an4", response_format="verbose_json", timestamp_granularities=["word"]
        )
    assert page.download('[data-format="txt"]') == ("Two answers.txt", f"{SAID}\n{SAID}\n")
    name, text = page.download('[data-format="json"]')
    written = json.loads(text)
    assert name == "Two answers.json" and written["text"] == f"{SAID} {SAID}"
    assert [segment["text"] for segment in written["segments"]] == [SAID, SAID]
    words = [word for segment in written["segments"] for word in segment["words"]]
    assert [(w["word"], w["start"], w["end"]) for w in words] == [(w.word, w.start, w.end) for w in verbose.words]
    assert written["duration"] == pytest.approx(verbose.duration, abs=0.01)


def test_a_file_that_is_dropped_is_read_likewise(page: Page, recording: Path) -> None:
    page.run(
        "const bytes = Uint8Array.from(atob(arguments[0]), (letter) => letter.charCodeAt(0));"
        "const dataTransfer = new DataTransfer();"
        "dataTransfer.items.add(new File([bytes], 'dropped.wav'));"
        "for (const kind of ['dragenter', 'dragover', 'drop'])"
        "  document.body.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));",
        base64.b64encode(recording.read_bytes()).decode(),
    )
    page.finished()
    assert page.words() == 2 * SAID.split() and page.one("#name").text == "dropped.wav"
    assert "over" not in page.one("body").get_attribute("class")


def test_the_waveform_is_that_of_the_file(page: Page, recording: Path) -> None:
    page.choose(recording)
    samples, rate = soundfile.read(recording)
    found = page.module(
        "const { Waveform, addFile } = await import('/page/waveform.js');"
        "const waveform = new Waveform(document.createElement('canvas'));"
        "const file = new File([Uint8Array.from(atob(arguments[0]), (l) => l.charCodeAt(0))], 'a.wav');"
        "return [await addFile(waveform, file), waveform.peaks, waveform.duration];",
        base64.b64encode(recording.read_bytes()).decode(),
    )
    step = rate // 50
    expected = np.abs(samples[: len(samples) // step * step]).reshape(-1, step).max(axis=1)
    assert found[0] is True and found[2] == pytest.approx(len(samples) / rate)
    np.testing.assert_allclose(found[1], expected, atol=1e-3)
    drawn = page.run(
        "const canvas = document.getElementById('wave');"
        "return new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data).size;"
    )
    assert drawn > 3


def test_expected_words_and_the_model_are_sent(page: Page, recording: Path) -> None:
    page.run(
        "const ask = fetch;"
        "window.fetch = (path, options) => { window.sent = options?.body ?? window.sent; return ask(path, options); };"
    )
    page.one("#hotwords").send_keys("Ruby, Carnegie Mellon:12,")
    page.choose(recording)
    sent = page.run("return [...window.sent].filter(([name]) => name !== 'file')")
    assert [value for name, value in sent if name == "keywords[]"] == ["Ruby", "Carnegie Mellon:12"]
    assert ["model", "an4"] in sent


def test_what_is_no_recording_is_said(page: Page, tmp_path: Path) -> None:
    (tmp_path / "letter.wav").write_bytes(b"Dear Sir or Madam")
    page.one("#file").send_keys(str(tmp_path / "letter.wav"))
    page.until(lambda: page.one("#error").is_displayed())
    assert "letter.wav" in page.one("#error-text").text and page.one("#error").get_attribute("role") == "alert"
    assert not page.one("#copy").is_enabled()
    page.one("#error-close").click()
    assert not page.one("#error").is_displayed()


def test_silence_is_said_to_be_silence(page: Page, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(32_000), 16_000)
    page.choose(tmp_path / "silence.wav")
    assert page.one("#transcript").text == "No speech was heard."
    assert not page.one('[data-format="txt"]').is_enabled()


# A microphone


def test_what_is_spoken_is_grey_while_it_may_change_and_final_soon_after(page: Page) -> None:
    """Seconds from the end of a word until it is final are those of the packets that were answered by then."""
    page.run(
        "window.partials = []; window.finals = []; window.answers = 0;"
        "const Real = WebSocket; window.WebSocket = class extends Real {"
        "  constructor(...given) { super(...given); this.addEventListener('message', () => window.answers++); }"
        "};"
        "new MutationObserver((changes) => {"
        "  const lines = changes.flatMap((change) => [...change.addedNodes]).filter((node) => node.dataset?.line);"
        "  for (const line of lines) {"
        "    const last = [...line.querySelectorAll('.word')].at(-1);"
        "    window.finals.push(window.answers / 10 - Number(last.dataset.end));"
        "  }"
        "  const open = document.querySelector('.partial');"
        "  if (open) window.partials.push([open.textContent.trim(), getComputedStyle(open).color]);"
        "}).observe(document.getElementById('transcript'), { childList: true, subtree: true });"
    )
    page.one("#speak").click()
    page.until(lambda: len(page.all("[data-line]")) >= 3)
    page.one("#speak").click()
    page.finished()
    assert page.words() == 3 * SAID.split()
    partials = page.run("return window.partials")
    ink = page.run("return getComputedStyle(document.querySelector('.word')).color")
    assert partials and all(colour != ink for _, colour in partials)
    assert any(text.startswith(SAID.split()[0]) for text, _ in partials)
    waits = page.run("return window.finals")
    assert all(wait > 0.4 for wait in waits) and min(waits) < 1.2, waits  # a server that is late takes packets together
    name, text = page.download('[data-format="txt"]')
    assert text == 3 * f"{SAID}\n" and name.startswith("Spoken 20") and name.endswith(".txt")
    page.all(".word")[-1].click()
    page.until(lambda: page.seconds() > float(page.all(".word")[-1].get_attribute("data-start")))


def test_the_recording_of_what_was_spoken_can_be_saved_and_read_as_a_file(page: Page, server: Running) -> None:
    page.one("#speak").click()
    page.until(lambda: page.all("[data-line]"))
    page.one("#speak").click()
    page.finished()
    path = page.downloaded("#keep")
    samples, rate = soundfile.read(path)
    assert len(samples) / rate > 3 and np.abs(samples).max() > 0.05
    page.run("window.confirm = () => true")
    page.choose(path)
    with server.client(max_retries=0) as client:
        text = client.audio.transcriptions.create(file=path, model="an4", response_format="text")
    assert page.words() == text.split() and len(page.words()) >= len(SAID.split())


# Hearing


def test_a_word_that_is_clicked_is_heard_from_there(page: Page, recording: Path) -> None:
    page.choose(recording)
    page.until(lambda: page.one("#play").is_enabled())
    page.run(
        "window.places = []; const audio = document.getElementById('audio');"
        "audio.addEventListener('seeking', () => window.places.push(audio.currentTime));"
    )
    word = page.all(".word")[5]
    word.click()
    start = float(word.get_attribute("data-start"))
    page.until(lambda: page.seconds() > start)
    assert page.run("return window.places") == [pytest.approx(start, abs=0.01)]
    page.run("document.getElementById('audio').pause()")
    page.until(lambda: page.one("#play").get_attribute("aria-label") == "Play")


def test_the_word_that_is_heard_is_marked(page: Page, recording: Path) -> None:
    page.choose(recording)
    page.until(lambda: page.one("#play").is_enabled())
    for place in (0, 3, 6):
        word = page.all(".word")[place]
        middle = (float(word.get_attribute("data-start")) + float(word.get_attribute("data-end"))) / 2
        page.run("document.getElementById('audio').currentTime = arguments[0]", middle)
        page.until(lambda: page.all(".now") == [word])  # noqa: B023


def test_the_keyboard_is_enough(page: Page, recording: Path) -> None:
    page.choose(recording)
    page.until(lambda: page.one("#play").is_enabled())
    focused = lambda: page.driver.switch_to.active_element  # noqa: E731
    page.run("document.querySelector('.word[tabindex=\"0\"]').focus()")
    for key, place in [
        (Keys.ARROW_RIGHT, 1),
        (Keys.ARROW_DOWN, 4),
        (Keys.END, 7),
        (Keys.ARROW_LEFT, 6),
        (Keys.HOME, 0),
    ]:
        focused().send_keys(key)
        assert focused() == page.all(".word")[place]
        assert len(page.all('.word[tabindex="0"]')) == 1
    focused().send_keys(Keys.ARROW_RIGHT, Keys.ENTER)
    start = float(page.all(".word")[1].get_attribute("data-start"))
    page.until(lambda: page.seconds() > start)
    focused().send_keys(" ")
    assert page.run("return document.getElementById('audio').paused")
    focused().send_keys(Keys.F2)
    focused().send_keys("NINE", Keys.ENTER)
    assert page.words()[1] == "NINE" and focused() == page.all(".word")[1]
    page.one("#wave").send_keys(Keys.HOME)
    page.until(lambda: page.seconds() == 0)
    page.one("#wave").send_keys(Keys.ARROW_RIGHT)
    page.until(lambda: page.seconds() == 2)
    assert page.one("#wave").get_attribute("aria-valuetext").startswith("0:02 of 0:")


# Correcting


def test_a_correction_keeps_the_times_and_is_what_is_downloaded(page: Page, recording: Path) -> None:
    page.choose(recording)
    times = [(w.get_attribute("data-start"), w.get_attribute("data-end")) for w in page.all(".word")]
    page.correct(page.all(".word")[1], f"NINE{Keys.ENTER}")
    first, second, *others = SAID.split()
    assert page.words() == [first, "NINE", *others, *SAID.split()]
    assert [(w.get_attribute("data-start"), w.get_attribute("data-end")) for w in page.all(".word")] == times
    assert page.all(".corrected")[0].get_attribute("title") == f"heard: {second}"
    page.correct(page.all(".word")[0], f"LOST{Keys.ESCAPE}")
    assert page.words()[0] == first
    assert page.download('[data-format="txt"]')[1] == f"{' '.join([first, 'NINE', *others])}\n{SAID}\n"


def test_a_new_recording_does_not_discard_corrections_unasked(page: Page, recording: Path) -> None:
    page.choose(recording)
    page.correct(page.all(".word")[1], f"NINE{Keys.ENTER}")
    page.run("window.confirm = (text) => { window.asked = text; return false; }")
    page.one("#file").send_keys(str(SAMPLE))
    assert "not been copied" in page.until(lambda: page.run("return window.asked"))
    assert page.words()[1] == "NINE"
    page.run("window.asked = null")
    page.download('[data-format="txt"]')
    page.choose(SAMPLE)
    assert page.words() == SAID.split() and page.run("return window.asked") is None


CORRECTIONS = [
    ("A B C", [("A", 0, 1), ("B", 2, 3), ("C", 4, 5)]),
    ("A X C", [("A", 0, 1), ("X", 2, 3), ("C", 4, 5)]),
    ("A X Y C", [("A", 0, 1), ("X", 2, 2.5), ("Y", 2.5, 3), ("C", 4, 5)]),
    ("A C", [("A", 0, 1), ("C", 4, 5)]),
    ("A B NEW C", [("A", 0, 1), ("B", 2, 3), ("NEW", 3, 4), ("C", 4, 5)]),
    ("NEW A B C", [("NEW", 0, 0), ("A", 0, 1), ("B", 2, 3), ("C", 4, 5)]),
    ("A B C NEW", [("A", 0, 1), ("B", 2, 3), ("C", 4, 5), ("NEW", 5, 5)]),
    ("X", [("X", 0, 5)]),
    ("  ", []),
]


@pytest.mark.parametrize(("text", "expected"), CORRECTIONS)
def test_corrected_words_have_the_times_of_those_they_replace(page: Page, text: str, expected: list) -> None:
    words = [{"word": w, "start": s, "end": s + 1, "confidence": 0.5} for w, s in (("A", 0), ("B", 2), ("C", 4))]
    found = page.module(
        "return (await import('/page/corrections.js')).corrected(arguments[0], arguments[1]);", words, text
    )
    assert [(w["word"], w["start"], w["end"]) for w in found] == expected


# Any screen, any reader


@pytest.mark.parametrize("width", [320, 390, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_can_be_read(page: Page, recording: Path, width: int, scheme: str) -> None:
    """Nothing is wider than the screen; text has a contrast of 4.5 and more with the page, as WCAG 2.2 asks."""
    page.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    metrics = {"width": width, "height": 844, "deviceScaleFactor": 2, "mobile": width < 500}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        page.choose(recording)
        assert page.run("return document.documentElement.scrollWidth") <= width
        colours = page.run(
            "const of = (selector, name) => getComputedStyle(document.querySelector(selector))[name];"
            "return [of('body', 'backgroundColor'), ...['.word', '.time', '#status', '#name', '#clock', '.edit']"
            ".map((selector) => of(selector, 'color'))];"
        )
        back, *inks = [luminance(colour) for colour in colours]
        assert (back > 0.5) == (scheme == "light")
        ratios = [(max(ink, back) + 0.05) / (min(ink, back) + 0.05) for ink in inks]
        assert min(ratios) >= 4.5, ratios
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def luminance(colour: str) -> float:
    """Relative luminance of ``rgb(…)``, as WCAG defines it."""
    values = [float(v) / 255 for v in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def test_everything_that_can_be_pressed_or_filled_has_a_name(page: Page, recording: Path) -> None:
    page.choose(recording)
    tree = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    controls = {"button", "textbox", "combobox", "slider", "progressbar", "region", "dialog"}
    found = [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in tree if not n.get("ignored")]
    named = [(role, name) for role, name in found if role in controls]
    assert len(named) > 12 and all(name.strip() for _, name in named), named
    assert page.one("#announce").get_attribute("aria-live") == "polite"
    assert page.run("return document.getElementById('announce').textContent") == f"{SAID} {SAID}"
    assert page.run("return document.documentElement.lang") == "en"


def test_the_page_is_small_and_names_no_other_server() -> None:
    """The namespace of SVG is a name, which nobody is asked for."""
    files = [path.read_text(encoding="utf-8") for path in FOLDER.iterdir()]
    assert sum(map(len, files)) < 80_000
    addresses = {found for text in files for found in re.findall(r"(?:https?:)?//[\w.-]+\.\w+", text)}
    assert addresses == {"http://www.w3.org"}
    assert not any(word in text for text in files for word in ("innerHTML", "eval(", "document.write"))


# A server that asks for a key


def test_the_key_is_asked_for_and_used_for_files_and_speech(browser: Page, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("open-sesame\n", encoding="utf-8")
    with running(tmp_path, "--api_key_file", str(tmp_path / "keys")) as locked:
        browser.driver.get(locked.url)
        for key in ("wrong", "open-sesame"):
            browser.until(lambda: browser.one("#key").is_displayed())
            browser.one("#key").send_keys(key, Keys.ENTER)
            time.sleep(0.3)
        browser.until(lambda: browser.all("#model option"))
        browser.choose(SAMPLE)
        assert browser.words() == SAID.split()
        browser.one("#speak").click()
        browser.until(lambda: browser.all("[data-line]"))
        browser.one("#speak").click()
        browser.finished()
        assert browser.words()[: len(SAID.split())] == SAID.split()
        browser.run("sessionStorage.clear()")
    browser.driver.get_log("browser")
