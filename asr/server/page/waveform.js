// The waveform of a recording, with the place that is heard.

export const PEAKS_PER_S = 50;
const BAR = 3; // pixels from one bar to the next
const LIVE_S = 20; // seconds shown while somebody speaks

export class Waveform {
  constructor(canvas) {
    this.canvas = canvas;
    this.clear();
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  clear() {
    this.peaks = [];
    this.peak = this.count = 0;
    this.duration = this.at = 0;
    this.live = false;
    this.draw();
  }

  /** Take samples that follow the last: 16-bit, or floats in [-1, 1]. */
  add(samples, sampleRate) {
    const scale = samples instanceof Int16Array ? 32768 : 1;
    const size = sampleRate / PEAKS_PER_S;
    for (let i = 0; i < samples.length; i++) {
      const value = Math.abs(samples[i]) / scale;
      if (value > this.peak) this.peak = value;
      if (++this.count >= size) {
        this.peaks.push(this.peak);
        this.peak = 0;
        this.count -= size;
      }
    }
    this.duration = this.peaks.length / PEAKS_PER_S;
  }

  /** Return the seconds at a place of the canvas, 0 to 1. */
  secondsAt(share) {
    return Math.max(0, Math.min(1, share)) * this.duration;
  }

  draw() {
    const { canvas } = this;
    const ratio = devicePixelRatio || 1;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (!width) return;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const style = getComputedStyle(canvas);
    const [quiet, accent] = ["--wave", "--accent"].map((name) => style.getPropertyValue(name));
    const last = this.live ? Math.max(this.peaks.length, LIVE_S * PEAKS_PER_S) : this.peaks.length;
    const first = this.live ? last - LIVE_S * PEAKS_PER_S : 0;
    const bars = Math.floor(width / BAR);
    const loudest = Math.max(0.1, this.#loudest(first, last));
    const heard = this.live ? bars : (this.at / (this.duration || 1)) * bars;
    for (let bar = 0; bar < bars; bar++) {
      const from = first + Math.floor((bar / bars) * (last - first));
      const to = Math.max(from + 1, first + Math.floor(((bar + 1) / bars) * (last - first)));
      const peak = this.#loudest(from, to);
      const size = Math.max(2, Math.sqrt(peak / loudest) * (height - 4));
      context.fillStyle = bar < heard ? accent : quiet;
      if (this.live && from >= this.peaks.length) context.fillStyle = quiet;
      context.fillRect(bar * BAR, (height - size) / 2, BAR - 1, size);
    }
    if (!this.live && this.at > 0) {
      context.fillStyle = accent;
      context.fillRect((this.at / (this.duration || 1)) * width - 1, 0, 2, height);
    }
  }

  #loudest(from, to) {
    let most = 0;
    for (let i = from; i < to && i < this.peaks.length; i++) if (this.peaks[i] > most) most = this.peaks[i];
    return most;
  }
}

/** Add the samples of a file, if the browser can decode it and it is not too large; return whether it did. */
export async function addFile(waveform, file) {
  if (file.size > 150e6) return false;
  try {
    const decoded = await new OfflineAudioContext(1, 1, 16000).decodeAudioData(await file.arrayBuffer());
    waveform.add(decoded.getChannelData(0), decoded.sampleRate);
    waveform.duration = decoded.duration;
  } catch {
    return false;
  }
  return true;
}
