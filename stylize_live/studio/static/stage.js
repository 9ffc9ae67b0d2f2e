// The page of OSC and MIDI: every address, how all is set, and which knob or key does what.
import { connect } from "./link.js";

const $ = (id) => document.getElementById(id);

let state = null;
let presets = [];
const rows = new Map();  // by what a knob or key can do

const send = connect({
  watches: false,
  onImage: () => {},  // not acknowledged, so that no more come
  onWords: (words) => {
    if (words.about) showAbout(words.about);
    if (words.state) showState(words.state);
  },
  onLine: (up) => { if (!up) tell("The program has ended. Waiting for it to start again"); },
});

// ---------------------------------------------------------------- rows

function cell(row, name, ...content) {
  const made = row.appendChild(document.createElement("td"));
  made.className = name;
  made.append(...content);
  return made;
}

function text(tag, words) {
  const made = document.createElement(tag);
  made.textContent = words;
  return made;
}

/** A row's knobs and its Assign button; `target` is what they do, "" nothing. */
function addKnobs(row, target) {
  const place = cell(row, "bound");
  if (!target) return;
  const line = place.appendChild(document.createElement("div"));
  const learn = text("button", "Assign");
  learn.className = "plain learn";
  learn.setAttribute("aria-label", `Assign a knob or key to ${target}`);
  learn.addEventListener("click", () => send({ learn: state?.midi?.learning === target ? "" : target }));
  line.append(learn);
  rows.set(target, { line, learn, shown: null });
}

function showAbout(about) {
  rows.clear();
  $("controls").replaceChildren(...about.controls.map((control) => {
    const row = document.createElement("tr");
    cell(row, "address", text("code", control.address), text("small", control.does));
    cell(row, "takes", control.takes);
    cell(row, "now").dataset.name = control.name;
    addKnobs(row, control.bindable);
    return row;
  }));
  showLooks(about);
  showKnobs();
}

function showLooks(about) {
  const styles = about.styles.map((style, i) => [`style ${i + 1}`, `${i + 1}  ${about.names[style]}`]);
  const looks = [...styles, ...presets.map((name) => [`preset ${name}`, `Preset ${name}`])];
  $("looks").replaceChildren(...looks.map(([target, title]) => {
    const row = document.createElement("tr");
    cell(row, "address", title);
    addKnobs(row, target);
    return row;
  }));
  known = about;
}

let known = null;

async function loadPresets() {
  const answer = await fetch("/presets").catch(() => null);
  if (!answer?.ok) return;
  presets = await answer.json();
  if (known) showAbout(known);
}

// ---------------------------------------------------------------- what the program says

function words(name, value) {
  if (name === "record") return state.recorded === null ? "off" : "on";
  if (value === undefined) return "";
  if (name === "style") {
    const shares = Object.entries(value);
    return shares.length < 2 ? shares[0]?.[0] ?? "" : shares.map(([style, share]) => `${style}:${share}`).join(",");
  }
  if (typeof value === "boolean") return value ? "on" : "off";
  if (value && typeof value === "object") return value.on ? "on" : "off";
  return typeof value === "number" ? String(Math.round(value * 1000) / 1000) : String(value);
}

function showState(news) {
  const more = news.presets !== state?.presets;
  state = news;
  if (more) loadPresets();
  tell(news.note);
  showKnobs();
}

function showKnobs() {
  if (!state) return;
  for (const place of document.querySelectorAll("td.now")) {
    const now = words(place.dataset.name, state[place.dataset.name]);
    if (place.textContent !== now) place.textContent = place.title = now;
  }
  $("osc").textContent = state.osc ? `Messages are taken at ${state.osc}, UDP.` : "Not switched on: start with --osc.";
  const { midi } = state;
  document.body.classList.toggle("no-midi", !midi);
  if (!midi) $("midi").textContent = "Not switched on: start with --midi.";
  else if (midi.learning) $("midi").textContent = `Move the knob or press the key for: ${midi.learning}`;
  else $("midi").textContent = midi.devices.length ? `Connected: ${midi.devices.join(", ")}` : "No device is connected. One that is plugged in is taken.";
  for (const [target, row] of rows) showRow(target, row, midi);
}

function showRow(target, row, midi) {
  row.learn.hidden = !midi;
  const learning = midi?.learning === target;
  row.learn.setAttribute("aria-pressed", learning);
  row.learn.textContent = learning ? "Move it now …" : "Assign";
  const keys = Object.entries(midi?.bound ?? {}).filter(([, does]) => does === target).map(([key]) => key);
  if (row.shown === keys.join()) return;
  row.shown = keys.join();
  for (const old of row.line.querySelectorAll(".knob")) old.remove();
  row.learn.before(...keys.map((key) => {
    const made = text("span", key);
    made.className = "knob";
    const remove = text("button", "×");
    remove.setAttribute("aria-label", `Remove ${key}`);
    remove.addEventListener("click", () => send({ forget: key }));
    made.append(remove);
    return made;
  }));
}

function tell(note) {
  $("toast").classList.toggle("on", Boolean(note));
  if (note) $("toast").textContent = note;
}
