"use strict";
(() => {
  // Players by the row of their utterance; each stands in a row of its own below it.
  const players = new Map();
  const withPlayer = (row) => [row, ...(players.has(row) ? [players.get(row)] : [])];

  // Sorting: a click on a column's head; numbers begin with the largest, texts with A. Equal rows keep their order.

  const collator = new Intl.Collator("en", { numeric: true });

  function sort(head) {
    const table = head.closest("table");
    const numeric = head.dataset.kind === "number";
    const before = head.getAttribute("aria-sort");
    const descending = before ? before === "ascending" : numeric;
    const value = (row) => row.cells[head.cellIndex].dataset.v ?? row.cells[head.cellIndex].textContent.trim();
    const compare = numeric ? (a, b) => (a < b ? -1 : Number(a > b)) : collator.compare;
    const sorted = [...table.tBodies[0].rows].filter((row) => !row.classList.contains("player"));
    const keyed = sorted.map((row) => [numeric ? Number(value(row)) : value(row), row]);
    keyed.sort(([a], [b]) => (descending ? compare(b, a) : compare(a, b)));
    table.tBodies[0].append(...keyed.flatMap(([, row]) => withPlayer(row)));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
  }

  for (const button of document.querySelectorAll("table.sortable th > button")) {
    button.addEventListener("click", () => sort(button.parentElement));
  }

  // Filter

  const text = document.getElementById("filter-text");
  const errors = document.getElementById("filter-errors");
  const differs = document.getElementById("filter-differs");
  const searched = new Map(
    [...document.querySelectorAll("#utterance-table > tbody > tr")].map((row) => [row, searchable(row)]),
  );

  function searchable(row) {
    const words = row.querySelector(".vh").textContent;
    return `${row.cells[1].textContent} ${row.cells[2].textContent} ${words}`.toLowerCase();
  }

  function filter() {
    const wanted = text.value.trim().toLowerCase();
    let shown = 0;
    for (const [row, content] of searched) {
      const hidden =
        !content.includes(wanted) ||
        (errors.checked && !("wrong" in row.dataset)) ||
        Boolean(differs?.checked && !("differs" in row.dataset));
      for (const part of withPlayer(row)) part.hidden = hidden;
      if (hidden) players.get(row)?.querySelector("audio").pause();
      shown += Number(!hidden);
    }
    document.getElementById("filter-count").value = `${shown} of ${searched.size}`;
  }

  document.getElementById("filter").addEventListener("input", filter);
  document.getElementById("filter").addEventListener("submit", (event) => event.preventDefault());
  filter(); // a reloaded page keeps what was typed

  // Spectrogram: windows of 25 ms every 5 ms or, in long recordings, COLUMNS of them; 0 to 8 kHz, 70 dB below the loudest.

  const RATE = 16000;
  const WINDOW = 400;
  const HOP = 80;
  const COLUMNS = 2400;
  const SIZE = 512;
  const RANGE_DB = 70;
  // Dark violet to pale yellow, of even steps in lightness.
  const COLOURS = [[6, 4, 24], [46, 16, 92], [112, 28, 118], [178, 48, 102], [230, 92, 70], [250, 164, 76], [252, 240, 180]];

  const hann = Float64Array.from({ length: WINDOW }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / (WINDOW - 1)));
  const cosines = Float64Array.from({ length: SIZE / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / SIZE));
  const sines = Float64Array.from({ length: SIZE / 2 }, (_, k) => -Math.sin((2 * Math.PI * k) / SIZE));

  // The discrete Fourier transform of SIZE complex numbers, in place (Cooley and Tukey 1965, radix 2).
  function transform(real, imaginary) {
    for (let i = 1, j = 0; i < SIZE; i++) {
      let bit = SIZE >> 1;
      for (; j & bit; bit >>= 1) j ^= bit;
      j ^= bit;
      if (i < j) {
        [real[i], real[j]] = [real[j], real[i]];
        [imaginary[i], imaginary[j]] = [imaginary[j], imaginary[i]];
      }
    }
    for (let half = 1; half < SIZE; half *= 2) {
      const step = SIZE / (2 * half);
      for (let start = 0; start < SIZE; start += 2 * half) {
        for (let k = 0; k < half; k++) {
          const even = start + k;
          const odd = even + half;
          const c = cosines[k * step];
          const s = sines[k * step];
          const r = real[odd] * c - imaginary[odd] * s;
          const i = real[odd] * s + imaginary[odd] * c;
          real[odd] = real[even] - r;
          imaginary[odd] = imaginary[even] - i;
          real[even] += r;
          imaginary[even] += i;
        }
      }
    }
  }

  // Decibels, column after column of SIZE / 2 from low to high; pre-emphasis lifts what is quiet, the high.
  function spectrogram(samples) {
    const hop = Math.max(HOP, samples.length / COLUMNS);
    const columns = Math.max(1, Math.ceil(samples.length / hop));
    const levels = new Float32Array(columns * (SIZE / 2));
    const real = new Float64Array(SIZE);
    const imaginary = new Float64Array(SIZE);
    const at = (n) => (n < 0 || n >= samples.length ? 0 : samples[n]);
    for (let column = 0; column < columns; column++) {
      real.fill(0);
      imaginary.fill(0);
      const start = Math.round(column * hop) - WINDOW / 2;
      for (let n = 0; n < WINDOW; n++) real[n] = hann[n] * (at(start + n) - 0.9 * at(start + n - 1));
      transform(real, imaginary);
      for (let k = 0; k < SIZE / 2; k++) {
        levels[column * (SIZE / 2) + k] = 10 * Math.log10(real[k] ** 2 + imaginary[k] ** 2 + 1e-10);
      }
    }
    return { columns, levels };
  }

  function colour(share) {
    const place = Math.min(Math.max(share, 0), 1) * (COLOURS.length - 1);
    const below = Math.min(Math.floor(place), COLOURS.length - 2);
    return COLOURS[below].map((from, i) => from + (place - below) * (COLOURS[below + 1][i] - from));
  }

  function draw(canvas, samples) {
    const { columns, levels } = spectrogram(samples);
    const height = SIZE / 2;
    const loudest = levels.reduce((a, b) => Math.max(a, b), -Infinity);
    const palette = Array.from({ length: 256 }, (_, i) => colour(i / 255));
    canvas.width = columns;
    canvas.height = height;
    const context = canvas.getContext("2d");
    const image = context.createImageData(columns, height);
    for (let x = 0; x < columns; x++) {
      for (let k = 0; k < height; k++) {
        const share = 1 + (levels[x * height + k] - loudest) / RANGE_DB;
        const [r, g, b] = palette[Math.round(255 * Math.min(Math.max(share, 0), 1))];
        image.data.set([r, g, b, 255], 4 * ((height - 1 - k) * columns + x));
      }
    }
    context.putImageData(image, 0, 0);
  }

  // Player: made when it is first asked for; one plays at a time.

  let recordings;
  const recording = (row) => (recordings ??= JSON.parse(document.getElementById("recordings").textContent))[row.dataset.index];

  function element(name, className, content) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (content !== undefined) made.textContent = content;
    return made;
  }

  async function decoded(uri) {
    const bytes = Uint8Array.from(atob(uri.slice(uri.indexOf(",") + 1)), (c) => c.charCodeAt(0));
    return new OfflineAudioContext(1, 1, RATE).decodeAudioData(bytes.buffer);
  }

  function openPlayer(row) {
    const { audio: uri, words } = recording(row);
    const player = element("tr", "player");
    const cell = element("td");
    const picture = element("div", "spectrogram");
    const canvas = element("canvas");
    const cursor = element("div", "cursor");
    const times = element("div", "times");
    const heard = element("div", "heard");
    const audio = element("audio");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `Spectrogram of ${row.cells[1].textContent}, 0 to 8 kHz`);
    times.setAttribute("aria-hidden", "true");
    heard.setAttribute("aria-hidden", "true");
    audio.controls = true;
    audio.src = uri;
    picture.append(canvas, cursor, times);
    if (words.length) picture.append(heard);
    cell.colSpan = row.cells.length;
    cell.append(picture, audio);
    player.append(cell);
    row.after(player);
    players.set(row, player);

    const button = row.querySelector("button.play");
    let duration = 0;
    const spans = [];
    const show = () => {
      cursor.style.left = `${100 * Math.min(audio.currentTime / (duration || audio.duration || 1), 1)}%`;
      for (const [span, start, end] of spans) {
        span.classList.toggle("now", !audio.paused && start <= audio.currentTime && audio.currentTime < end);
      }
    };
    const follow = () => {
      show();
      if (!audio.paused) requestAnimationFrame(follow);
    };
    const mark = () => {
      button.classList.toggle("playing", !audio.paused);
      button.textContent = audio.paused ? "▶" : "❚❚";
      button.setAttribute("aria-label", `${audio.paused ? "Play" : "Pause"} ${row.cells[1].textContent}`);
    };
    const fail = () => {
      if (!player.querySelector(".note")) {
        cell.append(element("p", "note", "This browser cannot play Ogg Opus; Firefox, Chromium and Safari from 18.4 can."));
      }
    };
    audio.addEventListener("play", () => {
      for (const other of document.querySelectorAll(".player audio")) if (other !== audio) other.pause();
      mark();
      follow();
    });
    for (const kind of ["pause", "ended"]) audio.addEventListener(kind, () => (mark(), show()));
    audio.addEventListener("seeking", show);
    audio.addEventListener("error", fail);
    canvas.addEventListener("click", (event) => {
      audio.currentTime = (event.offsetX / canvas.clientWidth) * (duration || audio.duration);
    });
    decoded(uri).then((buffer) => {
      duration = buffer.duration;
      draw(canvas, buffer.getChannelData(0));
      label(picture, times, duration);
      for (const [word, start, end, confidence] of words) {
        const span = element("span", "", word);
        span.style.left = `${(100 * start) / duration}%`;
        span.style.width = `${(100 * Math.max(Math.min(end, duration) - start, 0)) / duration}%`;
        span.title = `${word}, ${start.toFixed(2)} to ${end.toFixed(2)} s, confidence ${(100 * confidence).toFixed(0)} %`;
        heard.append(span);
        spans.push([span, start, end]);
      }
      canvas.dataset.drawn = "";
    }, fail);
    return audio;
  }

  function label(picture, times, duration) {
    for (const hz of [0, 2, 4, 6, 8]) {
      const name = element("span", "hz", `${hz} kHz`);
      name.style.top = `calc(9.5rem * ${1 - hz / 8})`;
      picture.append(name);
    }
    const step = [0.2, 0.5, 1, 2, 5, 10].find((s) => (duration / s) * 48 <= picture.clientWidth) ?? 20;
    for (let tick = 0; tick * step <= duration * 0.97; tick++) {
      const name = element("span", "", `${Number((tick * step).toFixed(1))} s`);
      name.style.left = `${(100 * tick * step) / duration}%`;
      times.append(name);
    }
  }

  document.getElementById("utterance-table").addEventListener("click", (event) => {
    const button = event.target.closest("button.play");
    if (!button) return;
    const row = button.closest("tr");
    const audio = players.get(row)?.querySelector("audio") ?? openPlayer(row);
    button.setAttribute("aria-expanded", "true");
    if (audio.paused) audio.play().catch(() => {});
    else audio.pause();
  });
})();
