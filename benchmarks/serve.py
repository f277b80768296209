"""What `asr serve` does under load, as a table in benchmarks/README.md.

    python benchmarks/serve.py FOLDER_OF_RECORDINGS [--model BUNDLE] [--only PART,PART] [--write]

Every server is a process of its own on loopback, with this script's process as its clients; both share the machine.

* ``start``: from the start of the process to its first text, five times.
* ``files``: so many clients at once, each with a recording of five seconds, who come again when they are told to;
  beside them the command line, once for all of the recordings. Every text must be the command line's.
* ``live``: streams at real time in packets of 100 ms. A final's delay counts from the end of its last word, so it has
  the silence that makes it final (0.5 s) in it; a stream is late where a packet's answer takes more than 0.3 s.
* ``stop``: servers that are sent SIGTERM while they work; every request whose headers were read must be answered.
* ``hostile``: connections that send nothing, uploads that are aborted half-way.
* ``hours``: one recording of two hours.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from tables import write_table
from websockets.asyncio.client import connect

from asr.audio import AUDIO_SUFFIXES, load_audio
from asr.provenance import provenance

RATE = 16_000
PIECE_S, GAP_S, PACKET_S, LATE_S = 5.0, 0.7, 0.1, 0.3
PARTS = ("start", "files", "live", "stop", "hostile", "hours")
BOUNDARY = "piece"
SEED = 7


def main() -> None:
    """Measure what is asked for, print it, and write it where all of it is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="an4")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--streams", default="10,25,50", help="how many at once, one after the other")
    parser.add_argument("--stream_s", type=float, default=30.0)
    parser.add_argument("--stops", type=int, default=50)
    parser.add_argument("--aborts", type=int, default=1000)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--write", action="store_true", help="put the table into benchmarks/README.md")
    arguments = parser.parse_args()
    measures = {"start": start, "files": files, "live": live, "stop": stop, "hostile": hostile, "hours": hours}
    rows = ["| what | |", "|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        pieces = write_pieces(arguments.folder, Path(folder))
        for part in arguments.only.split(","):
            for what, found in measures[part](arguments, pieces, Path(folder)):
                rows.append(f"| {what} | {found} |")
                print(rows[-1], flush=True)
    made = provenance(seed=SEED)
    text = (
        f"`python benchmarks/serve.py`, bundle {arguments.model}, {len(pieces)} recordings of {PIECE_S:g} s.\n\n"
        + "\n".join(rows)
        + f"\n\n{made['hardware']}, Python {made['python']}, commit {made['commit']}, seed {SEED}, {made['date']}."
    )
    write_table("serve.py", text) if arguments.write else print(text)


# Recordings


def write_pieces(source: Path, folder: Path) -> list[Path]:
    """Write the recordings below ``source``, strung together, in pieces of five seconds."""
    found = sorted(p for p in source.rglob("*") if p.suffix.lower() in AUDIO_SUFFIXES)
    gap = np.zeros(round(GAP_S * RATE), np.float32)
    strung = np.concatenate([part for path in found for part in (load_audio(path, RATE), gap)])
    size = round(PIECE_S * RATE)
    (folder / "pieces").mkdir()
    paths = []
    for number in range(len(strung) // size):
        path = folder / "pieces" / f"{number:04}.wav"
        soundfile.write(path, strung[number * size : (number + 1) * size], RATE, subtype="PCM_16")
        paths.append(path)
    return paths


# Servers and their clients


@dataclass(frozen=True)
class Served:
    """A server: its process, port and the file of its log."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def peak_mb(self) -> float:
        """Return the most memory it has had."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024


@contextmanager
def served(model: str, folder: Path, *arguments: str) -> Iterator[Served]:
    """Start a server on a free port, and end it."""
    log = folder / "serve.log"
    with log.open("wb") as file:
        command = [sys.executable, "-m", "asr", "serve", "--port", "0", "--model", model, *arguments]
        process = subprocess.Popen(command, stderr=file)
    try:
        while not (lines := log.read_text().splitlines()):
            if process.poll() is not None:
                raise SystemExit(log.read_text())
            time.sleep(0.01)
        yield Served(process, int(json.loads(lines[0])["url"].rpartition(":")[2]), log)
    finally:
        process.kill()
        process.wait()


def request_of(path: Path) -> bytes:
    """Return the bytes of a request that asks for the text of a recording."""
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="model"\r\n\r\ndefault\r\n']
    parts.append(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n\r\n')
    body = "".join(parts).encode() + path.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()
    head = (
        "POST /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def ask(port: int, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Return the status, headers and body of an answer; status 0 where the connection ended without one."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return 0, {}, b""
    try:
        writer.write(request)
        answer = await reader.read()
    except OSError:
        answer = b""
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head:
        return 0, {}, b""
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(status.split()[1]), headers, body


def share(values: Sequence[float], part: float) -> float:
    """Return the value below which ``part`` of all are."""
    return sorted(values)[min(int(part * len(values)), len(values) - 1)]


# Start


def start(arguments: argparse.Namespace, pieces: Sequence[Path], folder: Path) -> Iterator[tuple[str, str]]:
    """Measure how soon a server that is started answers."""
    times = []
    for _ in range(5):
        began = time.monotonic()
        with served(arguments.model, folder, "--alias", f"default={arguments.model}") as server:
            listening = time.monotonic() - began
            status, _, _ = asyncio.run(ask(server.port, request_of(pieces[0])))
            times.append((time.monotonic() - began, listening, status))
    first, listening, _ = (statistics.median(column) for column in zip(*times, strict=True))
    yield (
        "from the start of the process to its first text (5 s of audio)",
        f"{first:.2f} s, listening after {listening:.2f} s",
    )


# Files


def files(arguments: argparse.Namespace, pieces: Sequence[Path], folder: Path) -> Iterator[tuple[str, str]]:
    """Measure many clients at once, and the command line on the same recordings."""
    chosen = [pieces[number % len(pieces)] for number in range(arguments.clients)]
    seconds = PIECE_S * len(chosen)
    took, texts = command_line(arguments.model, chosen, folder)
    yield f"`asr transcribe`, {len(chosen)} recordings", f"{seconds / took:.0f} s of audio a second"
    for most in (256, len(chosen)):
        with served(
            arguments.model, folder, "--alias", f"default={arguments.model}", "--max_requests", str(most)
        ) as server:
            began = time.monotonic()
            results = asyncio.run(all_at_once(server.port, chosen))
            wall = time.monotonic() - began
            waits = [result.seconds for result in results]
            statuses = Counter(status for result in results for status in result.statuses)
            wrong = sum(result.text != texts[path.name] for result, path in zip(results, chosen, strict=True))
            name = f"{len(chosen)} clients at once, --max_requests {most}"
            yield f"{name}: answers", ", ".join(f"{count} × {status}" for status, count in sorted(statuses.items()))
            yield f"{name}: other texts than the command line's", str(wrong)
            yield f"{name}: speed", f"{seconds / wall:.0f} s of audio a second"
            yield f"{name}: until the text, p50, p95", f"{share(waits, 0.5):.1f} s, {share(waits, 0.95):.1f} s"
            yield f"{name}: most memory", f"{server.peak_mb():.0f} MB"


def command_line(model: str, chosen: Sequence[Path], folder: Path) -> tuple[float, dict[str, str]]:
    """Return the seconds that the command line takes, start included, and the text of each recording."""
    copies = folder / "copies"
    copies.mkdir(exist_ok=True)
    for number, path in enumerate(chosen):
        (copies / f"{number:04}-{path.name}").symlink_to(path)
    began = time.monotonic()
    command = [sys.executable, "-m", "asr", "transcribe", str(copies), "--model", model, "-f", "txt"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    took = time.monotonic() - began
    named = (line.split("\t") for line in ran.stdout.splitlines())
    return took, {Path(name).name.partition("-")[2]: text for name, text in named}


@dataclass(frozen=True)
class Result:
    """What a client had: the statuses of its tries, the seconds until its text, and the text."""

    statuses: Sequence[int]
    seconds: float
    text: str


async def all_at_once(port: int, chosen: Sequence[Path]) -> list[Result]:
    """Have every recording transcribed, all asked for at the same time."""
    requests = {path: request_of(path) for path in chosen}
    return await asyncio.gather(*(until_answered(port, requests[path]) for path in chosen))


async def until_answered(port: int, request: bytes) -> Result:
    """Ask until there is a text, as OpenAI's client does where it is told to come again."""
    began, statuses = time.monotonic(), []
    while True:
        status, headers, body = await ask(port, request)
        statuses.append(status)
        if status == 200:
            return Result(statuses, time.monotonic() - began, json.loads(body)["text"])
        if status not in (429, 503):
            return Result(statuses, time.monotonic() - began, f"<{status}>")
        await asyncio.sleep(float(headers["retry-after"]) + random.random())


# Live streams


def live(arguments: argparse.Namespace, pieces: Sequence[Path], folder: Path) -> Iterator[tuple[str, str]]:
    """Measure streams at real time, more and more of them."""
    samples = np.concatenate([load_audio(path, RATE) for path in pieces[: round(arguments.stream_s / PIECE_S)]])
    data = (samples * 32767).astype("<i2").tobytes()
    for count in map(int, arguments.streams.split(",")):
        with served(arguments.model, folder) as server:
            found = asyncio.run(streams(server.port, data, count))
        answers = [seconds for one in found for seconds in one.answers]
        finals = [seconds for one in found for seconds in one.finals] or [float("nan")]
        late = sum(max(one.answers) > LATE_S for one in found)
        name = f"{count} live streams of {len(samples) / RATE:.0f} s"
        yield (
            f"{name}: a packet's answer, p50, p95",
            f"{1e3 * share(answers, 0.5):.0f} ms, {1e3 * share(answers, 0.95):.0f} ms",
        )
        yield (
            f"{name}: a final after its last word, p50, p95",
            f"{share(finals, 0.5):.2f} s, {share(finals, 0.95):.2f} s",
        )
        yield f"{name}: streams with an answer later than {LATE_S:g} s", str(late)
        yield f"{name}: different texts", str(len({one.text for one in found}))


@dataclass(frozen=True)
class Streamed:
    """One stream: seconds from each packet to its answer, from each final's last word to the final, and the text."""

    answers: Sequence[float]
    finals: Sequence[float]
    text: str


async def streams(port: int, data: bytes, count: int) -> list[Streamed]:
    """Play a recording to so many streams, which begin within a second."""
    return await asyncio.gather(*(stream(port, data, number / count) for number in range(count)))


async def stream(port: int, data: bytes, wait_s: float) -> Streamed:
    """Play a recording to one stream at real time."""
    await asyncio.sleep(wait_s)
    size = 2 * round(PACKET_S * RATE)
    sent: list[float] = []
    async with connect(f"ws://127.0.0.1:{port}/live", max_queue=None) as socket:
        await socket.send(json.dumps({"config": {"sample_rate": RATE, "words": True}}))
        began = time.monotonic()

        async def play() -> None:
            for number, at in enumerate(range(0, len(data), size)):
                await asyncio.sleep(max(began + (number + 1) * PACKET_S - time.monotonic(), 0))
                sent.append(time.monotonic())
                await socket.send(data[at : at + size])
            await socket.send('{"eof": 1}')

        playing = asyncio.create_task(play())
        answers, finals, texts = [], [], []
        async for message in socket:
            now, answer = time.monotonic(), json.loads(message)
            if len(answers) < len(sent):
                answers.append(now - sent[len(answers)])
            if answer.get("text"):
                texts.append(answer["text"])
                if not playing.done():
                    finals.append(now - began - answer["result"][-1]["end"])
        await playing
    return Streamed(answers, finals, " ".join(texts))


# Stopping


def stop(arguments: argparse.Namespace, pieces: Sequence[Path], folder: Path) -> Iterator[tuple[str, str]]:
    """Send SIGTERM to servers at work, at moments of chance; every request that the log has must be answered."""
    chance, totals = random.Random(SEED), Counter[str]()
    for _ in range(arguments.stops):
        with served(arguments.model, folder, "--alias", f"default={arguments.model}") as server:
            statuses = asyncio.run(stopped_at_work(server, pieces, chance))
            totals["exit 0"] += server.process.wait() == 0
            lines = [json.loads(line) for line in server.log.read_text().splitlines()]
            taken = [line["status"] for line in lines if line["event"] == "request"]
            totals["accepted"] += len(taken)
            totals["answered by 200"] += sum(status == 200 for status in taken)
            totals["200 at the clients"] += sum(status == 200 for status in statuses)
    yield f"{arguments.stops} × SIGTERM under load", ", ".join(f"{count} {name}" for name, count in totals.items())


async def stopped_at_work(server: Served, pieces: Sequence[Path], chance: random.Random) -> list[int]:
    """Ask for forty texts, and stop the server within a second."""
    asked = [asyncio.create_task(ask(server.port, request_of(path))) for path in chance.choices(pieces, k=40)]
    await asyncio.sleep(chance.random())
    server.process.send_signal(signal.SIGTERM)
    return [status for status, _, _ in await asyncio.gather(*asked)]


# Hostile clients


def hostile(arguments: argparse.Namespace, pieces: Sequence[Path], folder: Path) -> Iterator[tuple[str, str]]:
    """Hold connections open, and abort uploads, while others are served."""
    with served(arguments.model, folder, "--alias", f"default={arguments.model}") as server:
        request = request_of(pieces[0])
        waits = asyncio.run(beside_held(server.port, request))
        yield (
            "a text beside 500 connections that send a header a byte at a time",
            f"{waits[0]:.2f} s, alone {waits[1]:.2f} s",
        )
        asyncio.run(aborted(server.port, request, arguments.aborts))
        status, _, _ = asyncio.run(ask(server.port, request))
        held = metric(server.port, "asr_transcriptions"), metric(server.port, "asr_spool_bytes")
        yield (
            f"after {arguments.aborts} aborted uploads",
            f"{held[0]:.0f} requests and {held[1]:.0f} bytes held, next answer {status}",
        )
        yield "most memory", f"{server.peak_mb():.0f} MB"


async def beside_held(port: int, request: bytes) -> tuple[float, float]:
    """Return the seconds that an answer takes beside slow connections, and without them."""
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(500)]

    async def drip(writer: asyncio.StreamWriter) -> None:
        for byte in b"GET /health HTTP/1.1\r\nX-Slow: " + 100 * b"x":
            writer.write(bytes([byte]))
            await asyncio.sleep(0.5)

    drips = [asyncio.create_task(drip(writer)) for _, writer in held]
    await asyncio.sleep(1)
    times = []
    for last in (False, True):
        if last:
            for one in drips:
                one.cancel()
            for _, writer in held:
                writer.close()
            await asyncio.sleep(1)
        began = time.monotonic()
        await ask(port, request)
        times.append(time.monotonic() - began)
    return times[0], times[1]


async def aborted(port: int, request: bytes, count: int) -> None:
    """Begin uploads, some at once, and end each half-way."""
    gate = asyncio.Semaphore(20)

    async def one(size: int) -> None:
        async with gate:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request[:size])
            await writer.drain()
            writer.transport.abort()

    chance = random.Random(SEED)
    await asyncio.gather(*(one(chance.randrange(len(request))) for _ in range(count)))
    await asyncio.sleep(1)


def metric(port: int, name: str) -> float:
    """Return one number of ``/metrics``."""
    head = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    _, _, body = asyncio.run(ask(port, head))
    return float(next(line.split()[1] for line in body.decode().splitlines() if line.startswith(f"{name} ")))


# Hours


def hours(arguments: argparse.Namespace, pieces: Sequence[Path], folder: Path) -> Iterator[tuple[str, str]]:
    """Transcribe one long recording by the server, and by the command line."""
    strung = np.concatenate([load_audio(path, RATE) for path in pieces])
    seconds = 3600 * arguments.hours
    path = folder / "hours.wav"
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
        left = round(seconds * RATE)
        while left > 0:
            file.write(strung[:left])
            left -= len(strung)
    began = time.monotonic()
    command = [sys.executable, "-m", "asr", "transcribe", str(path), "--model", arguments.model, "-f", "json"]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["text"]
    alone = time.monotonic() - began
    with served(arguments.model, folder, "--alias", f"default={arguments.model}") as server:
        began = time.monotonic()
        status, _, body = asyncio.run(ask(server.port, request_of(path)))
        took, is_same = time.monotonic() - began, status == 200 and json.loads(body)["text"] == said
        yield f"a recording of {arguments.hours:g} h", f"{took:.0f} s, command line {alone:.0f} s; {status}"
        yield "its text is the command line's", "yes" if is_same else "NO"
        yield "most memory with it", f"{server.peak_mb():.0f} MB"


if __name__ == "__main__":
    main()
