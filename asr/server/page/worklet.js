// Takes the microphone's samples, at the context's own rate, and gives them as 16-bit packets of a tenth of a second.

class Packets extends AudioWorkletProcessor {
  constructor() {
    super();
    this.packet = new Int16Array(Math.round(sampleRate / 10));
    this.filled = 0;
    this.ended = false;
    this.port.onmessage = () => this.end();
  }

  process([input]) {
    if (this.ended) return false;
    const channels = input.length;
    if (!channels) return true;
    for (let i = 0; i < input[0].length; i++) {
      let sample = 0;
      for (const channel of input) sample += channel[i] / channels;
      this.packet[this.filled++] = Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
      if (this.filled === this.packet.length) this.send();
    }
    return true;
  }

  send() {
    const packet = this.packet.slice(0, this.filled);
    this.port.postMessage(packet, [packet.buffer]);
    this.filled = 0;
  }

  end() {
    if (this.filled) this.send();
    this.ended = true;
    this.port.postMessage(null);
  }
}

registerProcessor("packets", Packets);
