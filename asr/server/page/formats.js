// A transcript as files, written as `asr transcribe` writes them.

const milliseconds = (seconds) => Math.max(0, Math.round(1000 * seconds));

function timestamp(at, { hours, decimal }) {
  const two = (number) => String(number).padStart(2, "0");
  const whole = Math.floor(at / 1000);
  const hour = Math.floor(whole / 3600);
  const head = hours || hour ? `${two(hour)}:` : "";
  return `${head}${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}${decimal}${String(at % 1000).padStart(3, "0")}`;
}

/** Cues in order, each of which ends before the next begins and lasts a millisecond or more. */
function cues(segments) {
  const spoken = segments.filter((segment) => segment.text);
  let free = 0;
  return spoken.map((segment, i) => {
    const start = Math.max(milliseconds(segment.start), free);
    const end = Math.max(start, milliseconds(segment.end));
    const next = i + 1 < spoken.length ? milliseconds(spoken[i + 1].start) : end;
    free = Math.max(start + 1, Math.min(end, next));
    return { start, end: free, text: segment.text };
  });
}

export const formats = {
  txt: {
    type: "text/plain",
    write: (segments) => segments.filter((segment) => segment.text).map((segment) => `${segment.text}\n`).join(""),
  },
  srt: {
    type: "application/x-subrip",
    write(segments) {
      const time = (at) => timestamp(at, { hours: true, decimal: "," });
      const text = (cue) => cue.text.replace(/-{2,}>/g, "->");
      return cues(segments).map((cue, i) => `${i + 1}\n${time(cue.start)} --> ${time(cue.end)}\n${text(cue)}\n\n`).join("");
    },
  },
  vtt: {
    type: "text/vtt",
    write(segments) {
      const time = (at) => timestamp(at, { hours: false, decimal: "." });
      const text = (cue) => cue.text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
      return `WEBVTT\n\n${cues(segments).map((cue) => `${time(cue.start)} --> ${time(cue.end)}\n${text(cue)}\n\n`).join("")}`;
    },
  },
  json: {
    type: "application/json",
    write(segments, duration) {
      const spoken = segments.filter((segment) => segment.text).map((segment, id) => ({ id, ...segment }));
      const text = spoken.map((segment) => segment.text).join(" ");
      return `${JSON.stringify({ text, segments: spoken, duration: Math.round(1000 * duration) / 1000 })}\n`;
    },
  },
};
