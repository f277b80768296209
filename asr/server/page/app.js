// The page: a recording or a microphone in, a transcript that can be heard, corrected and kept out.

import { formats } from "./formats.js";
import { asWav, Microphone } from "./microphone.js";
import { Live, keys, models, transcribe } from "./server.js";
import { clock, Transcript } from "./transcript.js";
import { addFile, Waveform } from "./waveform.js";

const at = (id) => document.getElementById(id);
const audio = at("audio");
const waveform = new Waveform(at("wave"));
const transcript = new Transcript(at("transcript"), { onHear: hear, onChange: changed });

let name = "";
let duration = 0;
let reading = null; // the AbortController of a file that is being transcribed
let spoken = null; // the recording of what was spoken
let speaking = null; // {microphone, live, packets} while somebody speaks

// What is said to people

function fail(error) {
  at("error-text").textContent = error.message;
  at("error").hidden = false;
}

function status(text) {
  at("status").textContent = text;
}

function changed() {
  const hasText = transcript.segments.some((segment) => segment.text);
  for (const button of [at("copy"), ...document.querySelectorAll("[data-format]")]) button.disabled = !hasText;
  const count = transcript.unsure.length;
  at("unsure").hidden = !count || speaking !== null;
  at("unsure").textContent = count === 1 ? "Hear the unsure word" : `Next of ${count} unsure words`;
}

// Settings

async function askForKey() {
  const dialog = at("key-dialog");
  at("key").value = "";
  dialog.returnValue = "cancel";
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  if (dialog.returnValue === "ok") keys.set(at("key").value.trim());
  return dialog.returnValue === "ok";
}

/** Do `work`; where the server asks for a key, ask for it and do it again. */
async function withKey(work) {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (error.code !== "api-key" || !(await askForKey())) throw error;
    }
  }
}

async function loadModels() {
  const ids = await withKey(models);
  at("model").replaceChildren(...ids.map((id) => new Option(id, id)));
  at("model").disabled = ids.length < 2;
}

const settings = () => ({
  model: at("model").value,
  hotwords: at("hotwords").value.split(",").map((word) => word.trim()).filter(Boolean),
});

// A new recording

function begin(of) {
  if (transcript.isUnkept && !confirm("The transcript has not been copied or downloaded. Begin anew?")) return false;
  name = of;
  at("error").hidden = true;
  document.body.classList.add("at-work");
  at("work").hidden = false;
  at("name").textContent = of;
  document.title = `${of} – Transcribe`;
  play(false);
  URL.revokeObjectURL(audio.src);
  audio.removeAttribute("src");
  at("play").disabled = true;
  at("announce").textContent = "";
  at("keep").hidden = true;
  spoken = null;
  transcript.clear();
  waveform.clear();
  at("wave").ariaValueNow = "0";
  duration = 0;
  return true;
}

function playable(file) {
  audio.src = URL.createObjectURL(file);
}

function finished() {
  const words = transcript.words.length;
  if (!words) transcript.say("No speech was heard.");
  status(words ? `${words} word${words === 1 ? "" : "s"}, ${clock(duration)}` : clock(duration));
  at("progress").hidden = at("cancel").hidden = true;
  changed();
}

async function readFile(file) {
  if (speaking) return;
  reading?.abort();
  if (!begin(file.name)) return;
  const mine = (reading = new AbortController());
  status("Sending …");
  playable(file);
  at("cancel").hidden = false;
  addFile(waveform, file).then((isDrawn) => {
    if (mine !== reading && reading) return;
    if (isDrawn) duration ||= waveform.duration;
    shown();
  });
  try {
    await withKey(async () => {
      for await (const event of transcribe(file, { ...settings(), signal: mine.signal })) heardOf(event);
    });
    if (mine === reading) finished();
  } catch (error) {
    if (mine !== reading) return;
    finished();
    if (error.name !== "AbortError") fail(error);
    status(error.name === "AbortError" ? "Cancelled" : "Not finished");
    if (!transcript.segments.length) transcript.say("");
  } finally {
    if (mine === reading) reading = null;
  }
}

function heardOf(event) {
  if (event.type === "transcript.text.segment") {
    const { start, end, text, confidence, words } = event;
    transcript.add({ start, end, text, confidence, words });
    const all = duration || audio.duration || 0;
    at("progress").hidden = !all;
    at("progress").value = all ? Math.min(1, end / all) : 0;
    status("Transcribing …");
  } else if (event.type === "transcript.text.done") {
    duration ||= audio.duration || transcript.segments.at(-1)?.end || 0;
    at("announce").textContent = event.text;
  }
}

// Speaking

async function speak() {
  if (speaking) return stopSpeaking();
  reading?.abort();
  reading = null;
  const packets = [];
  let live = null;
  const onPacket = (packet) => {
    packets.push(packet);
    waveform.add(packet, microphone.sampleRate);
    waveform.draw();
    duration = waveform.duration;
    at("clock").textContent = clock(duration);
    live.send(packet);
  };
  let microphone;
  at("speak").disabled = true;
  try {
    await withKey(models); // a WebSocket does not say why it is refused
    microphone = await Microphone.open(onPacket);
  } catch (error) {
    return fail(error);
  } finally {
    at("speak").disabled = false;
  }
  const now = new Date();
  const two = (number) => String(number).padStart(2, "0");
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  if (!begin(`Spoken ${day} ${two(now.getHours())}-${two(now.getMinutes())}`)) return microphone.close();
  live = new Live({
    ...settings(), sampleRate: microphone.sampleRate,
    onPartial: (text, stable) => transcript.partial(text, stable),
    onFinal: ({ text, result }) => said(text, result ?? []),
  });
  speaking = { microphone, live, packets };
  live.ended.catch((error) => speaking?.live === live && stopSpeaking(error));
  waveform.live = true;
  document.body.classList.add("recording");
  at("speak-label").textContent = "Stop";
  status("Listening …");
  changed();
  microphone.start();
}

function said(text, result) {
  const words = result.map(({ word, start, end, conf }) => ({ word, start, end, confidence: conf }));
  const confidence = words.reduce((sum, word) => sum + word.confidence, 0) / (words.length || 1);
  transcript.partial("", "");
  transcript.add({
    start: words[0]?.start ?? duration, end: words.at(-1)?.end ?? duration, text,
    confidence: Math.round(1e4 * confidence) / 1e4, words,
  });
  at("announce").textContent = text;
  at("transcript").lastElementChild.scrollIntoView({ block: "nearest" });
}

async function stopSpeaking(error = null) {
  const { microphone, live, packets } = speaking;
  at("speak").disabled = true;
  status("Finishing …");
  await microphone.close();
  try {
    if (error) throw error;
    await live.finish();
  } catch (fault) {
    fail(fault);
  }
  speaking = null;
  transcript.partial("", "");
  document.body.classList.remove("recording");
  at("speak-label").textContent = "Speak";
  at("speak").disabled = false;
  waveform.live = false;
  spoken = asWav(packets, microphone.sampleRate, `${name}.wav`);
  at("keep").hidden = false;
  transcript.isUnkept = true;
  playable(spoken);
  finished();
  shown();
}

// Hearing

function play(wanted) {
  if (wanted) audio.play().catch(() => {});
  else audio.pause();
}

/** Play from a second of the recording; pause for null. */
function hear(seconds) {
  if (seconds === null) return play(false);
  if (at("play").disabled) return;
  audio.currentTime = seconds;
  play(true);
}

function shown() {
  const all = duration || audio.duration || 0;
  waveform.at = audio.currentTime;
  waveform.duration ||= all;
  waveform.draw();
  if (!speaking) at("clock").textContent = audio.currentTime ? `${clock(audio.currentTime)} / ${clock(all)}` : clock(all);
  const slider = at("wave");
  slider.ariaValueMax = all.toFixed(1);
  slider.ariaValueNow = audio.currentTime.toFixed(1);
  slider.ariaValueText = `${clock(audio.currentTime)} of ${clock(all)}`;
  transcript.mark(audio.paused && !audio.currentTime ? -1 : audio.currentTime);
}

function follow() {
  shown();
  if (!audio.paused) requestAnimationFrame(follow);
}

audio.addEventListener("loadedmetadata", () => {
  at("play").disabled = false;
  if (Number.isFinite(audio.duration)) duration ||= audio.duration;
  shown();
});
audio.addEventListener("error", () => {
  if (audio.hasAttribute("src")) at("play").title = "This browser cannot play the recording";
});
for (const kind of ["play", "pause", "ended"]) {
  audio.addEventListener(kind, () => {
    document.body.classList.toggle("playing", !audio.paused);
    at("play").ariaLabel = audio.paused ? "Play" : "Pause";
    follow();
  });
}
audio.addEventListener("seeked", shown);

at("wave").addEventListener("pointerdown", (event) => {
  if (at("play").disabled || speaking) return;
  const seek = ({ clientX }) => {
    const { left, width } = at("wave").getBoundingClientRect();
    audio.currentTime = waveform.secondsAt((clientX - left) / width);
  };
  seek(event);
  at("wave").setPointerCapture(event.pointerId);
  at("wave").onpointermove = seek;
});
for (const kind of ["pointerup", "pointercancel"]) at("wave").addEventListener(kind, () => (at("wave").onpointermove = null));
at("wave").addEventListener("keydown", (event) => {
  const steps = { ArrowLeft: -2, ArrowRight: 2, PageDown: -15, PageUp: 15, Home: -Infinity, End: Infinity };
  if (!(event.key in steps) || at("play").disabled) return;
  event.preventDefault();
  audio.currentTime = Math.max(0, Math.min(duration, audio.currentTime + steps[event.key]));
});

// Keeping

function download(format) {
  const { type, write } = formats[format];
  const content = new Blob([write(transcript.segments, duration)], { type: `${type};charset=utf-8` });
  save(content, `${name.replace(/\.[^.]{1,4}$/, "")}.${format}`);
  transcript.isUnkept = false;
}

function save(content, as) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = as;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function copy() {
  await navigator.clipboard.writeText(formats.txt.write(transcript.segments));
  transcript.isUnkept = false;
  at("copy").textContent = "Copied";
  setTimeout(() => (at("copy").textContent = "Copy"), 1500);
}

// Hands and keys

at("choose").addEventListener("click", () => at("file").click());
at("file").addEventListener("change", () => {
  const [file] = at("file").files;
  if (file) readFile(file);
  at("file").value = "";
});
at("speak").addEventListener("click", speak);
at("cancel").addEventListener("click", () => reading?.abort());
at("play").addEventListener("click", () => play(audio.paused));
at("copy").addEventListener("click", copy);
at("keep").addEventListener("click", () => save(spoken, spoken.name));
at("unsure").addEventListener("click", () => transcript.nextUnsure());
at("error-close").addEventListener("click", () => (at("error").hidden = true));
for (const button of document.querySelectorAll("[data-format]")) {
  button.addEventListener("click", () => download(button.dataset.format));
}
document.addEventListener("keydown", (event) => {
  if (event.key !== " " || event.target.closest("button, input, textarea, select, summary, dialog")) return;
  event.preventDefault();
  if (!at("play").disabled) play(audio.paused);
});

let depth = 0; // of the elements that something is dragged over
const hasFile = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
addEventListener("dragenter", (event) => hasFile(event) && document.body.classList.toggle("over", ++depth > 0));
addEventListener("dragleave", (event) => hasFile(event) && document.body.classList.toggle("over", --depth > 0));
addEventListener("dragover", (event) => hasFile(event) && event.preventDefault());
addEventListener("drop", (event) => {
  if (!hasFile(event)) return;
  event.preventDefault();
  depth = 0;
  document.body.classList.remove("over");
  const [file] = event.dataTransfer.files;
  if (speaking) fail(new Error("Stop speaking before a recording is read."));
  else if (file) readFile(file);
});
addEventListener("beforeunload", (event) => {
  if (transcript.isUnkept || speaking) event.preventDefault();
});

loadModels().catch(fail);
