// What follows the sound: a list for each option, how far it moves, a meter, a lamp that shines on the beat.
import { fillSwatches, image } from "./layers.js";
import { sayFolded } from "./folds.js";

const BEATS = [4, 8, 16, 32, 64];
const LAMP = 160;  // ms
const LEFT_ALONE = 500;  // ms after the last touch of a slider
const NAMES = { level: "loudness", bass: "bass", mid: "mid", treble: "treble", onset: "onsets", beat: "the beat" };

function showReach({ slider, out, doublings }, amount) {
  slider.value = amount;
  // The thumb's middle does not reach the ends of the track.
  const at = `calc(${50 + amount * 50}% - ${amount * 9}px)`;
  slider.style.setProperty("--low", amount < 0 ? at : "50%");
  slider.style.setProperty("--high", amount < 0 ? "50%" : at);
  const sign = amount < 0 ? "−" : "+";
  const share = Math.round(Math.abs(amount) * 100);
  out.textContent = doublings ? `${(2 ** amount).toFixed(2)} ×` : share ? `${sign}${share} %` : "0 %";
  slider.setAttribute("aria-valuetext", out.textContent);
}

export class Sound {
  #rows = {};
  #reaches = {};
  #labels = {};
  #styles = [];
  #chosen = [];  // of these, what the beat goes through; none are all
  #rules = {};  // by option: its rule as the program has it, with amount, attack and release
  #beats = 0;
  #style = "";
  #off = "";
  #counted = null;
  #lamp = 0;

  /** ask(changes): asks the program. What it says afterwards is shown. */
  constructor(ask) {
    this.ask = ask;
    this.names = {};
    this.#get("sound_from").addEventListener("change", ({ target }) => { ask({ sound_from: target.value }); target.blur(); });
    this.#get("sound_styles").addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button) this.#turnStyle(button.dataset.value);
    });
  }

  #get(id) {
    return document.getElementById(id);
  }

  /** What can follow what, and how styles are called. */
  offer({ signals, options, style, off }, { styles, names }) {
    this.names = names;
    this.#styles = styles;
    this.#labels = { ...Object.fromEntries(options.map(({ key, label }) => [key, label])), [style]: "Style" };
    [this.#style, this.#off] = [style, off];
    const choices = [["", "nothing"], ...signals.map((signal) => [signal, NAMES[signal] || signal])];
    const rows = options.flatMap(({ key, label }) => [this.#row(key, `${label} <small>follows</small>`, choices), this.#reach(key, label)]);
    const beats = [["", "never"], ...BEATS.map((count) => [count, `every ${count} beats`])];
    this.#get("sound-rules").replaceChildren(...rows, this.#row(style, "Style <small>changes</small>", beats));
    fillSwatches(this.#get("sound_styles"), [["", "All", "all"], ...styles.map((name) => [name, names[name]])]);
  }

  #row(key, label, choices) {
    const row = document.createElement("label");
    row.className = "pick";
    row.innerHTML = `<span>${label}</span>`;
    const select = document.createElement("select");
    select.append(...choices.map(([value, text]) => new Option(text, value)));
    select.addEventListener("change", () => { this.#askRules(); select.blur(); });
    this.#rows[key] = select;
    row.append(select);
    return row;
  }

  /** How far an option moves: to the left of the middle the other way. */
  #reach(key, label) {
    const row = document.createElement("div");
    row.className = "reach";
    row.hidden = true;
    row.innerHTML = '<input type="range" min="-1" max="1" step="0.05"><output></output>';
    const [slider, out] = row.children;
    slider.setAttribute("aria-label", `How far ${label} follows`);
    slider.title = "Left of the middle, it moves the other way";
    const reach = { row, slider, out, doublings: key === "stroke", touched: -LEFT_ALONE };
    slider.addEventListener("input", () => {
      reach.touched = performance.now();
      showReach(reach, Number(slider.value));
      this.#askRules();
    });
    this.#reaches[key] = reach;
    return row;
  }

  #askRules() {
    const rules = Object.entries(this.#rows).filter(([, select]) => select.value).map(([key, select]) => {
      if (key === this.#style) return `beat:${key}:${select.value}`;
      const [, , amount, ...times] = (this.#rules[key] || "").split(":");
      const { slider, touched } = this.#reaches[key];
      const wanted = performance.now() - touched < LEFT_ALONE ? slider.value : amount;
      return amount ? [select.value, key, wanted, ...times].join(":") : `${select.value}:${key}`;
    });
    this.ask({ follow_sound: rules.join(",") || this.#off });
  }

  /** Choose a style for the beat, or no longer; without any, it goes through all. */
  #turnStyle(name) {
    if (!name) return this.ask({ sound_styles: "" });
    const row = this.#chosen.includes(name) ? this.#chosen.filter((one) => one !== name) : [...this.#chosen, name];
    this.ask({ sound_styles: row.join(",") });
  }

  /** Images of styles are new. */
  thumbnails(versions) {
    for (const button of this.#get("sound_styles").children) {
      const index = this.#styles.indexOf(button.dataset.value);
      if (index < 0 || !versions[button.dataset.value] || button.querySelector("img")) continue;
      button.prepend(image(`/thumbnails/${index}.jpg?${versions[button.dataset.value]}`));
    }
  }

  show({ has_sound: usable, sound, sound_from: from, sound_styles: chosen, sound_origins: origins }) {
    this.#get("sound-card").hidden = !usable;
    if (!usable) return;
    [this.#rules, this.#beats] = [sound.rules, sound.beats];
    for (const [key, select] of Object.entries(this.#rows)) {
      if (document.activeElement === select) continue;
      if (key !== this.#style) select.value = (sound.rules[key] || "").split(":")[0];
      else this.#showBeats(select);
    }
    this.#showReaches();
    this.#showRow(chosen.split(",").filter(Boolean));
    const list = this.#get("sound_from");
    const wanted = JSON.stringify(origins);
    if (list.dataset.options !== wanted) {
      list.dataset.options = wanted;
      list.replaceChildren(...Object.entries(origins).map(([key, name]) => new Option(name, key)));
    }
    list.value = from;
    const place = this.#get("sound-place");
    const style = sound.style && `painting ${this.names[sound.style] || sound.style}`;
    place.textContent = sound.trouble || [sound.place, style].filter(Boolean).join(", ");
    place.hidden = !place.textContent;
    place.classList.toggle("wrong", Boolean(sound.trouble));
    this.#get("sound-meter").hidden = !sound.place;
    const moved = [...Object.keys(sound.rules), ...(sound.beats ? [this.#style] : [])];
    sayFolded("sound-card", moved.map((key) => this.#labels[key]).join(", "), Boolean(moved.length && sound.trouble));
    if (!sound.place) this.hear(null);
  }

  #showReaches() {
    for (const [key, reach] of Object.entries(this.#reaches)) {
      reach.row.hidden = !this.#rules[key];
      if (reach.row.hidden || performance.now() - reach.touched < LEFT_ALONE) continue;
      showReach(reach, Number(this.#rules[key].split(":")[2]));
    }
    this.#get("sound-all").hidden = !Object.keys(this.#rules).length;
  }

  #showRow(chosen) {
    this.#chosen = chosen;
    this.#get("sound-row").hidden = !this.#beats;
    for (const button of this.#get("sound_styles").children) {
      const on = button.dataset.value ? chosen.includes(button.dataset.value) : !chosen.length;
      button.classList.toggle("chosen", on);
      button.setAttribute("aria-pressed", on);
    }
  }

  #showBeats(select) {
    if (this.#beats && !BEATS.includes(this.#beats) && ![...select.options].some((one) => Number(one.value) === this.#beats)) {
      select.append(new Option(`every ${this.#beats} beats`, this.#beats));
    }
    select.value = this.#beats || "";
  }

  /** What is heard now, or null. */
  hear(now) {
    for (const band of ["loudness", "bass", "mid", "treble"]) {
      this.#get(`sound-${band}`).style.setProperty("--part", now ? now[band] : 0);
    }
    this.#get("sound-tempo").hidden = !now;
    this.#get("sound-tempo").textContent = now?.tempo ? `${now.tempo} beats a minute` : now ? "no steady beat" : "";
    const lamp = this.#get("sound-lamp");
    if (now && this.#counted !== null && now.beats > this.#counted) {
      lamp.classList.add("on");
      clearTimeout(this.#lamp);
      this.#lamp = setTimeout(() => lamp.classList.remove("on"), LAMP);
    }
    this.#counted = now ? now.beats : null;
  }
}
