// What follows the sound: a list for each option, a meter, a lamp that shines on the beat.

const BEATS = [4, 8, 16, 32, 64];
const LAMP = 160;  // ms
const NAMES = { level: "loudness", bass: "bass", mid: "mid", treble: "treble", onset: "onsets", beat: "the beat" };

export class Sound {
  #rows = {};
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
  }

  #get(id) {
    return document.getElementById(id);
  }

  /** What can follow what, and how styles are called. */
  offer({ signals, options, style, off }, names) {
    this.names = names;
    [this.#style, this.#off] = [style, off];
    const choices = [["", "–"], ...signals.map((signal) => [signal, NAMES[signal] || signal])];
    const rows = options.map(({ key, label }) => this.#row(key, `${label} <small>follows</small>`, choices));
    const beats = [["", "–"], ...BEATS.map((count) => [count, `every ${count} beats`])];
    this.#get("sound-rules").replaceChildren(...rows, this.#row(style, "Style <small>changes</small>", beats));
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

  #askRules() {
    const rules = Object.entries(this.#rows).filter(([, select]) => select.value).map(([key, select]) => {
      if (key === this.#style) return `beat:${key}:${select.value}`;
      const tail = (this.#rules[key] || "").split(":").slice(2);
      return [select.value, key, ...tail].join(":");
    });
    this.ask({ follow_sound: rules.join(",") || this.#off });
  }

  show({ has_sound: usable, sound, sound_from: from, sound_origins: origins }) {
    this.#get("sound-card").hidden = !usable;
    if (!usable) return;
    [this.#rules, this.#beats] = [sound.rules, sound.beats];
    for (const [key, select] of Object.entries(this.#rows)) {
      if (document.activeElement === select) continue;
      if (key !== this.#style) select.value = (sound.rules[key] || "").split(":")[0];
      else this.#showBeats(select);
    }
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
    this.#get("sound-meter").classList.toggle("off", !sound.place);
    if (!sound.place) this.hear(null);
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
