// What the page asks the server: its models, a recording's text as it is decided, and text while somebody speaks.

const KEY = "asr-key";

export class ServerError extends Error {
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

export const keys = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (key) => sessionStorage.setItem(KEY, key),
};

function headers() {
  return keys.get() ? { authorization: `Bearer ${keys.get()}` } : {};
}

async function checked(answer) {
  if (answer.ok) return answer;
  const body = await answer.json().catch(() => null);
  throw new ServerError(body?.error?.message ?? `The server answered ${answer.status}.`, body?.error?.code ?? "");
}

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { ...options, headers: headers() });
  } catch (fault) {
    if (fault.name === "AbortError") throw fault;
    throw new ServerError("The server cannot be reached.", "unreachable");
  }
  return checked(answer);
}

/** Return the ids of the models. */
export async function models() {
  const listed = await (await ask("/v1/models")).json();
  return listed.data.map((model) => model.id);
}

/** Yield the events of a recording's transcription: `transcript.text.segment`s, then `transcript.text.done`. */
export async function* transcribe(file, { model, hotwords, signal }) {
  const form = new FormData();
  form.append("file", file, file.name);
  form.append("model", model);
  form.append("stream", "true");
  form.append("response_format", "verbose_json");
  form.append("timestamp_granularities[]", "segment");
  form.append("timestamp_granularities[]", "word");
  for (const word of hotwords) form.append("keywords[]", word);
  const answer = await ask("/v1/audio/transcriptions", { method: "POST", body: form, signal });
  for await (const event of events(answer.body)) {
    if (event.error) throw new ServerError(event.error.message, event.error.code);
    yield event;
  }
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const data = block.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5)).join("\n");
      if (data) yield JSON.parse(data);
    }
  }
}

/** A live stream: packets of 16-bit samples go in, partials and finals come out. */
export class Live {
  constructor({ sampleRate, model, hotwords, onPartial, onFinal }) {
    const protocols = keys.get() ? ["asr", `openai-insecure-api-key.${keys.get()}`] : ["asr"];
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}/live`, protocols);
    this.waiting = [];
    this.config = { sample_rate: sampleRate, words: true, model, hotwords };
    this.socket.onopen = () => {
      this.socket.send(JSON.stringify({ config: this.config }));
      for (const packet of this.waiting.splice(0)) this.socket.send(packet);
    };
    let error = null;
    this.ended = new Promise((resolve, reject) => {
      this.socket.onclose = (event) => {
        if (event.code === 1000) resolve();
        else reject(error ?? new ServerError("The connection to the server was lost.", "closed"));
      };
    });
    this.ended.catch(() => {});
    this.socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.error) error = new ServerError(message.error.message, message.error.code);
      else if (message.partial !== undefined) onPartial(message.partial, message.stable ?? "");
      else if (message.text) onFinal(message);
      else onPartial("", "");
    };
  }

  send(packet) {
    if (this.socket.readyState === WebSocket.CONNECTING) this.waiting.push(packet);
    else if (this.socket.readyState === WebSocket.OPEN) this.socket.send(packet);
  }

  /** Say that the recording is over; resolve once the last final came. */
  finish() {
    this.send(JSON.stringify({ eof: 1 }));
    return this.ended;
  }
}
