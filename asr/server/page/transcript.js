// The transcript on the page: lines of words that can be heard and corrected, and what is being said.

import { corrected } from "./corrections.js";

const UNSURE = 0.5;
const DOUBTFUL = 0.7;

export const clock = (seconds) => {
  const whole = Math.floor(Math.max(0, seconds));
  const two = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes}:${two(whole % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
};

function made(tag, { text = "", ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...(text ? [text] : children));
  return element;
}

export class Transcript {
  constructor(element, { onHear, onChange }) {
    Object.assign(this, { element, onHear, onChange });
    element.addEventListener("click", (event) => this.#clicked(event));
    element.addEventListener("dblclick", (event) => this.#place(event.target)?.word && this.#correct(event.target));
    element.addEventListener("keydown", (event) => this.#typed(event));
    this.segments = [];
    this.isUnkept = false; // whether it was changed since it was last copied or downloaded
    this.open = null; // the line that is being said
  }

  clear() {
    this.segments = [];
    this.isUnkept = false;
    this.open = null;
    this.element.replaceChildren();
    this.element.classList.remove("capitals");
    this.onChange();
  }

  get words() {
    return [...this.element.querySelectorAll(".word")];
  }

  get unsure() {
    return this.element.querySelectorAll(".word.unsure");
  }

  /** Add a final segment {start, end, text, confidence, words: [{word, start, end, confidence}]}. */
  add(segment) {
    this.segments.push(segment);
    const line = document.getElementById("line").content.firstElementChild.cloneNode(true);
    const [time, edit] = line.querySelectorAll("button");
    line.dataset.line = this.segments.length - 1;
    time.textContent = clock(segment.start);
    time.ariaLabel = `Hear from ${clock(segment.start)}`;
    edit.ariaLabel = `Correct the line at ${clock(segment.start)}`;
    this.element.insertBefore(line, this.open);
    this.#write(line);
    const letters = this.segments.map((each) => each.text).join("");
    this.element.classList.toggle("capitals", letters === letters.toUpperCase());
    this.onChange();
  }

  /** Show what is being said, its first words as far as they stay; nothing where it is empty. */
  partial(text, stable) {
    if (!text) {
      this.open?.remove();
      this.open = null;
      return;
    }
    if (!this.open) {
      this.open = made("div", { class: "said partial", "aria-hidden": "true" }, made("span", { class: "time" }), made("p"));
      this.element.append(this.open);
    }
    const steady = text.startsWith(stable) ? stable : "";
    this.open.querySelector("p").replaceChildren(made("span", { class: "stable", text: steady }), text.slice(steady.length));
  }

  /** Say in place of a transcript that there is none. */
  say(text) {
    this.element.replaceChildren(made("p", { class: "empty", text }));
  }

  /** Mark the word that is said at a second of the recording. */
  mark(seconds) {
    const line = this.segments.findLastIndex((segment) => segment.start <= seconds + 0.02);
    const words = [...(this.element.querySelector(`[data-line="${line}"]`)?.querySelectorAll(".word") ?? [])];
    const word = words.findLast((each) => Number(each.dataset.start) <= seconds + 0.02);
    const now = word && seconds < Number(word.dataset.end) + 0.3 ? word : null;
    const before = this.element.querySelector(".now");
    if (before === now) return;
    before?.classList.remove("now");
    now?.classList.add("now");
    now?.scrollIntoView({ block: "nearest" });
  }

  /** Focus the next unsure word after the one in focus, and hear it. */
  nextUnsure() {
    const unsure = [...this.unsure];
    const place = this.current ?? null;
    const next = unsure.find((word) => place?.isConnected && place.compareDocumentPosition(word) & Node.DOCUMENT_POSITION_FOLLOWING) ?? unsure[0];
    if (next) this.#focus(next, true);
  }

  // Drawing

  #write(line) {
    const segment = this.segments[line.dataset.line];
    const words = segment.words.flatMap((word) => [" ", this.#word(word)]).slice(1);
    line.querySelector("p").replaceChildren(...words);
    line.hidden = !segment.text;
    if (!this.element.querySelector('.word[tabindex="0"]')) this.words[0]?.setAttribute("tabindex", "0");
  }

  #word({ word, start, end, confidence, heard }) {
    const kind = heard !== undefined ? "corrected" : confidence < UNSURE ? "unsure" : confidence < DOUBTFUL ? "doubtful" : "";
    const title = heard ? `heard: ${heard}` : heard === "" ? "added" : `${Math.round(100 * confidence)} % sure`;
    return made("span", { class: `word ${kind}`.trim(), tabindex: "-1", "data-start": start, "data-end": end, title, text: word });
  }

  // Hearing

  #place(target) {
    return { word: target.closest(".word"), line: target.closest("[data-line]") };
  }

  #clicked({ target }) {
    const { word, line } = this.#place(target);
    if (word) this.#focus(word, true);
    else if (target.closest(".time") && line) this.onHear(this.segments[line.dataset.line].start);
    else if (target.closest(".edit")) this.#correct(target);
  }

  #focus(word, hear = false) {
    this.element.querySelector('.word[tabindex="0"]')?.setAttribute("tabindex", "-1");
    word.setAttribute("tabindex", "0");
    word.focus();
    this.current = word;
    if (hear) this.onHear(Number(word.dataset.start));
  }

  #typed(event) {
    const { word, line } = this.#place(event.target);
    if (!word || event.altKey || event.ctrlKey || event.metaKey) return;
    const words = this.words;
    const at = words.indexOf(word);
    const first = (each) => each?.querySelector(".word");
    const lines = [...this.element.querySelectorAll("[data-line]:not([hidden])")];
    const row = lines.indexOf(line);
    const moves = {
      ArrowRight: () => words[at + 1], ArrowLeft: () => words[at - 1], Home: () => words[0], End: () => words.at(-1),
      ArrowDown: () => first(lines[row + 1]), ArrowUp: () => first(lines[row - 1]),
    };
    if (moves[event.key]) {
      const next = moves[event.key]();
      if (next) this.#focus(next);
    } else if (event.key === "Enter") this.#focus(word, true);
    else if (event.key === "F2" || event.key === "e") this.#correct(word);
    else return;
    event.preventDefault();
  }

  // Correcting

  #correct(target) {
    const { word, line } = this.#place(target);
    if (!line || line.querySelector("textarea")) return;
    this.onHear(null);
    const segment = this.segments[line.dataset.line];
    const box = made("textarea", { rows: "1", "aria-label": "Corrected line", spellcheck: "true", autocomplete: "off" });
    box.value = segment.text;
    const grow = () => {
      box.style.height = "auto";
      box.style.height = `${box.scrollHeight + 2}px`;
    };
    const before = [...line.querySelectorAll(".word")];
    const place = word ? before.indexOf(word) : -1;
    const start = place < 0 ? segment.text.length : before.slice(0, place).reduce((sum, each) => sum + each.textContent.length + 1, 0);
    line.querySelector("p").replaceChildren(box);
    let isDone = false;
    const done = (keep) => {
      if (isDone) return;
      isDone = true;
      if (keep) this.#change(segment, box.value);
      this.#write(line);
      this.onChange();
    };
    box.addEventListener("input", grow);
    box.addEventListener("blur", () => done(true));
    box.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.isComposing || !["Enter", "Escape"].includes(event.key)) return;
      event.preventDefault();
      done(event.key === "Enter");
      const words = [...line.querySelectorAll(".word")];
      const next = words[Math.min(Math.max(place, 0), words.length - 1)];
      if (next) this.#focus(next);
    });
    grow();
    box.focus();
    box.setSelectionRange(start, place < 0 ? start : start + word.textContent.length);
  }

  #change(segment, text) {
    const words = corrected(segment.words, text);
    const joined = words.map((word) => word.word).join(" ");
    if (joined === segment.text) return;
    Object.assign(segment, { words, text: joined });
    this.isUnkept = true;
  }
}
