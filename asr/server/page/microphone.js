// The microphone, as packets of 16-bit samples at the audio context's own rate.

export class Microphone {
  /** Open the microphone. Throws an Error with words for people where there is none, or it may not be heard. */
  static async open(onPacket) {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Error("The browser gives the microphone to pages from https or from this machine alone.");
    }
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
    } catch (fault) {
      throw new Error(
        fault.name === "NotAllowedError" ? "The browser may not use the microphone; allow it beside the address."
          : fault.name === "NotFoundError" ? "There is no microphone." : `The microphone cannot be opened: ${fault.message}`,
      );
    }
    const context = new AudioContext();
    await context.audioWorklet.addModule("/page/worklet.js");
    await context.resume();
    const source = context.createMediaStreamSource(stream);
    const node = new AudioWorkletNode(context, "packets", { numberOfOutputs: 0 });
    const microphone = new Microphone();
    Object.assign(microphone, { stream, context, node, sampleRate: context.sampleRate });
    microphone.drained = new Promise((resolve) => {
      node.port.onmessage = ({ data }) => (data ? onPacket(data) : resolve());
    });
    microphone.start = () => source.connect(node);
    return microphone;
  }

  /** Stop; resolve once the last packet was given. */
  async close() {
    this.node.port.postMessage("end");
    await Promise.race([this.drained, new Promise((resolve) => setTimeout(resolve, 500))]);
    for (const track of this.stream.getTracks()) track.stop();
    await this.context.close();
  }
}

/** Return packets of 16-bit samples as a WAV file. */
export function asWav(packets, sampleRate, name) {
  const bytes = packets.reduce((total, packet) => total + packet.byteLength, 0);
  const view = new DataView(new ArrayBuffer(44));
  const text = (at, letters) => [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + bytes, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, 2 * sampleRate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, bytes, true);
  return new File([view, ...packets], name, { type: "audio/wav" });
}
