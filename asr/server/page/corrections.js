// A line corrected by hand: which words are as they were, and when those that are new were said.

/**
 * Return the words of a corrected text.
 *
 * Words that stay keep their time and confidence. Words in their place take the time of those that went, or of the gap
 * where none went; they have `heard`, the words that went, and confidence 1.
 */
export function corrected(words, text) {
  const wanted = text.split(/\s+/).filter(Boolean);
  const found = [];
  let at = 0;
  let written = 0;
  for (const [old, fresh] of [...common(words.map((word) => word.word), wanted), [words.length, wanted.length]]) {
    found.push(...replaced(words, at, old, wanted.slice(written, fresh)));
    if (old < words.length) found.push(words[old]);
    [at, written] = [old + 1, fresh + 1];
  }
  return found;
}

function replaced(words, from, to, fresh) {
  const gone = words.slice(from, to);
  const start = gone[0]?.start ?? words[from - 1]?.end ?? words[0]?.start ?? 0;
  const end = Math.max(start, gone.at(-1)?.end ?? words[to]?.start ?? words.at(-1)?.end ?? start);
  const step = (end - start) / fresh.length;
  const round = (seconds) => Math.round(1000 * seconds) / 1000;
  const heard = gone.map((word) => word.heard ?? word.word).join(" ");
  return fresh.map((word, i) => ({
    word, start: round(start + i * step), end: round(start + (i + 1) * step), confidence: 1, heard,
  }));
}

/** Return the places [old, new] of a longest common subsequence. */
function common(old, fresh) {
  const length = Array.from({ length: old.length + 1 }, () => new Uint16Array(fresh.length + 1));
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = fresh.length - 1; j >= 0; j--) {
      length[i][j] = old[i] === fresh[j] ? length[i + 1][j + 1] + 1 : Math.max(length[i + 1][j], length[i][j + 1]);
    }
  }
  const pairs = [];
  for (let i = 0, j = 0; i < old.length && j < fresh.length; ) {
    if (old[i] === fresh[j]) pairs.push([i++, j++]);
    else if (length[i + 1][j] >= length[i][j + 1]) i++;
    else j++;
  }
  return pairs;
}
