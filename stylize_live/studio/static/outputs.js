// Where the image goes, and how large it is: switches and lists that the program stands behind.
import { sayFolded } from "./folds.js";

const SWITCHES = ["stream", "virtual_camera", "ndi"];
const LONG = 60;  // letters of a line that is shown in part until it is touched
const times = (text) => text.replace("x", " × ");

/** Fill a list, unless it has these already: an open one would close. */
function fill(select, options) {
  const wanted = JSON.stringify(options);
  if (select.dataset.options === wanted) return;
  select.dataset.options = wanted;
  select.replaceChildren(...options.map(([key, text]) => new Option(text, key)));
}

/** Lines to paint at that make a difference to an image with so many. */
function lines(sizes, shorter, present) {
  const numbers = [...new Set(sizes)].filter((size) => size !== "auto").map((size) => parseInt(size, 10)).sort((a, b) => b - a);
  const all = Math.min(...numbers.filter((number) => number >= shorter));
  const useful = numbers.filter((number) => number < shorter || number === all || `${number}p` === present);
  const named = useful.map((number) => [`${number}p`, number >= shorter ? `all ${shorter} lines` : `${number} lines`]);
  return [["auto", "as many lines as fit"], ...named];
}

export class Outputs {
  #about = { sizes: [], resolutions: [] };

  /** ask(changes): asks the program. What it says afterwards is shown, also where it refused. */
  constructor(ask) {
    for (const name of SWITCHES) this.#get(name).addEventListener("change", ({ target }) => ask({ [name]: target.checked }));
    for (const name of [...SWITCHES, "microphone"]) {
      this.#get(`${name}-place`).addEventListener("click", ({ target }) => target.classList.toggle("whole"));
    }
    for (const [name, setting] of [["microphone", "microphone"], ["resolution", "resolution"], ["lines", "size"]]) {
      this.#get(name).addEventListener("change", ({ target }) => {
        ask({ [setting]: target.value });
        target.blur();  // the arrow keys are the show's again
      });
    }
  }

  #get(id) {
    return document.getElementById(id);
  }

  /** What does not change. */
  offer({ sizes, resolutions }) {
    this.#about = { sizes, resolutions };
  }

  show(state) {
    for (const name of SWITCHES) this.#showSwitch(name, state[name]);
    const failed = SWITCHES.filter((name) => state[name].error).map((name) => `${this.#label(name)} failed`);
    const on = SWITCHES.filter((name) => state[name].on || state[name].opening).map((name) => this.#label(name));
    sayFolded("outputs-card", [...failed, ...on].join(", "), failed.length > 0);
    this.#showMicrophone(state);
    this.#showSize(state);
  }

  #showSwitch(name, { on, opening, error, place }) {
    const input = this.#get(name);
    input.checked = on || opening;
    input.classList.toggle("waiting", opening);
    this.#tell(name, opening ? "opening" : error || place, Boolean(error) && !opening);
  }

  #label(name) {
    return this.#get(name).parentElement.querySelector("span").firstChild.textContent.trim();
  }

  #tell(name, text, wrong = false) {
    const line = this.#get(`${name}-place`);
    line.hidden = !text;
    line.classList.toggle("wrong", wrong);
    line.classList.toggle("long", text.length > LONG);
    if (line.textContent !== text) line.textContent = text;
  }

  #showMicrophone({ microphone, microphones, no_microphones: missing }) {
    const select = this.#get("microphone");
    fill(select, Object.entries(microphones).sort(([a], [b]) => (a !== "") - (b !== "")));
    select.disabled = Object.keys(microphones).length < 2;
    select.value = microphone;
    this.#tell("microphone", select.disabled ? missing : "");
  }

  #showSize({ resolution, has_resolution: changeable, size, can_resize: paintable, image }) {
    const own = image ? image.join("x") : resolution;
    fill(this.#get("resolution"), changeable ? this.#about.resolutions.map((text) => [text, times(text)]) : [[own, times(own)]]);
    this.#get("resolution").disabled = !changeable;
    this.#get("resolution").value = changeable ? resolution : own;
    fill(this.#get("lines"), lines([...this.#about.sizes, size], Math.min(...own.split("x")), size));
    this.#get("lines").disabled = !paintable;
    this.#get("lines").value = size;
    sayFolded("size-card", paintable ? this.#get("lines").selectedOptions[0]?.text ?? "" : "");
  }
}
