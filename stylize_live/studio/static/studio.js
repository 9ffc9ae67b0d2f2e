// The studio: shows the program's state and asks it for changes. All pages stay in step, as each shows only
// what the program told all of them; a control that is being moved is left alone meanwhile.
import { connect } from "./link.js";
import { Painter } from "./image.js";
import { Graph, drawShares, stages } from "./graph.js";
import { Camera } from "./camera.js";
import { Saved, element, icon } from "./saved.js";
import { Outputs } from "./outputs.js";
import { Sound } from "./sound.js";
import { Layers } from "./layers.js";
import { Bring } from "./bring.js";
import { Learning } from "./learning.js";
import { makeFolds, sayFolded } from "./folds.js";

const $ = (id) => document.getElementById(id);
const SEND_EVERY = 60;  // ms, while a slider moves
const LEFT_ALONE = 500;  // ms after the last touch
const FULL_PAGE = 1013;
const TOLD = 8000;  // ms that a message of this page's own stays
const LOOK_EVERY = 3000;  // ms, for cameras that are plugged in
const ONE_ROW = 8;  // so many styles need no second one
const VIDEO_ENDS = 1500;  // ms until a video that was ended has its last images
const BROWSER = "browser";  // the source that is a page's own camera

let about = { styles: [], names: {}, paintings: [] };
let state = null;
let points = [];
let delay = 0;
const touched = {};

const stage = $("stage");
const painter = new Painter($("image"), (width, height) => {
  stage.style.setProperty("--shape", `${width} / ${height}`);
});
const graph = new Graph($("graph"));

const saved = new Saved($("saved"), $("player"), (style) => about.names[style] || style);

const send = connect({
  onImage: (jpeg, mask, done) => {
    if ($("veil").textContent) $("veil").textContent = "";
    stage.classList.toggle("transparent", Boolean(mask));
    painter.draw(jpeg, mask, done);
  },
  onWords: (words) => {
    if (words.delay) delay = words.delay;
    if (words.about) showAbout(words.about);
    if (words.sources) showSources(words.sources);
    if (words.state) showState(words.state);
    if (words.thumbnails) showThumbnails(words.thumbnails);
    if (words.thumbnails) layers.thumbnails(words.thumbnails);
    if (words.thumbnails) sound.thumbnails(words.thumbnails);
    if (words.figures) showFigures(words.figures);
    if (words.sound) sound.hear(words.sound.now);
    if (words.camera) camera.hear(words.camera);
  },
  onLine: (up, code) => {
    stage.classList.toggle("down", !up);
    $("dot").classList.toggle("down", !up);
    if (!up) $("veil").textContent = code === FULL_PAGE ? "Too many pages are open" : "The program has ended. Waiting for it to start again";
    else if (state?.image) $("veil").textContent = "";
    if (up) camera.again();
    if (up) saved.look();
  },
});

// ---------------------------------------------------------------- asking

const waiting = {};
let timer = null;

/** Ask for a change: at once, and again at most every few milliseconds while a slider moves. */
function ask(changes) {
  for (const name of Object.keys(changes)) touched[name] = performance.now();
  Object.assign(waiting, changes);
  if (timer) return;
  flush();
  timer = setTimeout(() => { timer = null; flush(); }, SEND_EVERY);
}

function flush() {
  if (!Object.keys(waiting).length) return;
  send({ set: { ...waiting } });
  for (const name of Object.keys(waiting)) delete waiting[name];
}

makeFolds();

const leftAlone = (name) => performance.now() - (touched[name] || -LEFT_ALONE) < LEFT_ALONE;

const outputs = new Outputs(ask);
const sound = new Sound(ask);
const bring = new Bring({ paintings: choose, backgrounds: (name) => ask({ background: name }) }, tell);
const ownBackground = bring.tile("backgrounds", "swatch", "An image or a video of your own", "+", element("span", "Your own"));
const layers = new Layers(ask, () => send({ do: "look" }), ownBackground);
const ownPainting = bring.tile("paintings", "own", "Paint like a painting of your own: pick an image, or drop it anywhere on this page", element("span", "+"), element("span", "Your own painting"));
const learning = new Learning(ask, send);
$("microphone").addEventListener("pointerdown", () => send({ do: "look" }));

// ---------------------------------------------------------------- sliders and switches

const percent = (value) => `${Math.round(value * 100)} %`;
const UNITS = { percent, times: (value) => `${value.toFixed(2).replace(/\.?0+$/, "")} ×` };
// A slider that moves in doublings has what is natural in its middle.
const SCALES = {
  linear: { to: (value) => value, from: (at) => at },
  doublings: { to: Math.log2, from: (at) => 2 ** at },
};
// Which options and actions there are comes with the page; all about each stands in its element.
const SLIDERS = [...document.querySelectorAll("input[data-unit]")];
const SWITCHES = [...document.querySelectorAll("input[data-option], input[data-switch]")];
const TOGGLES = [...document.querySelectorAll("button[data-switch]")];

/** How far all that follows the sound moves. */
function showAmount(value, moving = false) {
  if (value === undefined || (leftAlone("sound_amount") && !moving)) return;
  $("sound_amount").value = value;
  fill($("sound_amount"));
  $("sound_amount-out").textContent = percent(value);
}

/** Whether an option makes no difference in this style. */
const isIdle = ({ id }) => state?.[`has_${id}`] === false;

function wordsOf(input, value) {
  if (isIdle(input)) return "not in this style";
  return (value === 0 && input.dataset.zero) || UNITS[input.dataset.unit](value);
}

function showSlider(input, value) {
  input.disabled = isIdle(input);
  if (!leftAlone(input.id)) {
    input.value = SCALES[input.dataset.scale].to(value);
    fill(input);
    $(`${input.id}-out`).textContent = wordsOf(input, value);
  }
}

const valueAt = (input, at) => Math.round(SCALES[input.dataset.scale].from(Number(at)) * 1000) / 1000;

function fill(input) {
  const share = (input.value - input.min) / (input.max - input.min);
  // The thumb's middle does not reach the ends of the track.
  input.style.setProperty("--at", `calc(${share * 100}% + ${(0.5 - share) * 18}px)`);
}

for (const slider of SLIDERS) {
  slider.addEventListener("input", () => {
    const value = valueAt(slider, slider.value);
    fill(slider);
    $(`${slider.id}-out`).textContent = wordsOf(slider, value);
    ask({ [slider.id]: value });
  });
  if (slider.dataset.scale === "doublings") slider.addEventListener("dblclick", () => ask({ [slider.id]: valueAt(slider, slider.defaultValue) }));
}
$("sound_amount").addEventListener("input", ({ target }) => { showAmount(Number(target.value), true); ask({ sound_amount: Number(target.value) }); });
for (const box of SWITCHES) box.addEventListener("change", () => ask({ [box.id]: box.checked }));
for (const toggle of TOGGLES) toggle.addEventListener("click", () => ask({ [toggle.id]: !state?.[toggle.id] }));
for (const button of document.querySelectorAll("button[data-do]")) button.addEventListener("click", () => send({ do: button.dataset.do }));
$("full").addEventListener("click", () => (document.fullscreenElement ? document.exitFullscreen() : stage.requestFullscreen?.()));
if (!stage.requestFullscreen) $("full").hidden = true;

// ---------------------------------------------------------------- source and preset

let sources = {};

function showSources(found) {
  if (JSON.stringify(found) === JSON.stringify(sources)) return;  // an open list would close
  sources = found;
  $("source").replaceChildren(...Object.entries(found).map(([key, name]) => new Option(name, key)));
  $("choices").replaceChildren(...Object.entries(found).map(([key, name]) => {
    const button = document.createElement("button");
    button.className = "plain";
    button.textContent = name;
    button.addEventListener("click", () => useSource(key));
    return button;
  }));
  showSource();
}

function showSource() {
  if (!state) return;
  $("source-name").textContent = state.source_name;
  $("camera").hidden = !state.no_camera || camera.on;
  $("choose").hidden = !state.no_source;
  if (state.no_source) $("veil").textContent = "";
  if (!leftAlone("source")) $("source").value = state.source;
}

// What was plugged in meanwhile is in the list the next time it is opened, or at once where it can grow.
$("source").addEventListener("pointerdown", () => send({ do: "look" }));
$("source").addEventListener("focus", () => send({ do: "look" }));
$("source").addEventListener("change", ({ target }) => useSource(target.value));
// While there is nothing to be seen, a camera that is plugged in shows up by itself.
setInterval(() => { if (state?.no_source && document.visibilityState === "visible") send({ do: "look" }); }, LOOK_EVERY);

function useSource(key) {
  if (key === BROWSER) turnCameraOn();
  else ask({ source: key });
}

const camera = new Camera(send, (why) => {
  if (why) tell(why);
  delete touched.source;
  showSource();
});

function turnCameraOn() {
  touched.source = performance.now();
  camera.turnOn(about.camera);
}

$("camera").addEventListener("click", turnCameraOn);

$("preset").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = $("preset-name").value.trim();
  send(renamed ? { rename: [renamed, name] } : { save: name });
  rename("");
  $("preset-name").blur();
});

let renamed = "";  // the preset that is given another name, or ""

/** Ask for a preset's new name; "" ends that. */
function rename(name) {
  renamed = name;
  $("preset-name").value = name;
  $("preset-do").textContent = name ? "Rename" : "Save";
  if (name) $("preset-name").select();
}

$("preset-name").addEventListener("input", ({ target }) => { if (!target.value) rename(""); });
$("preset-name").addEventListener("keydown", ({ key }) => { if (key === "Escape") rename(""); });

async function showPresets() {
  const answer = await fetch("/presets").catch(() => null);
  if (!answer?.ok) return;
  $("presets").replaceChildren(...(await answer.json()).map((name) => {
    const row = element("li");
    const load = element("button", name);
    load.title = "Load this preset";
    load.addEventListener("click", () => { pair = [null, null]; send({ load: name }); });
    const pen = element("button");
    pen.append(icon("#i-pen"));
    pen.setAttribute("aria-label", `Rename ${name}`);
    pen.addEventListener("click", () => rename(name));
    row.append(load, pen);
    return row;
  }));
}

// ---------------------------------------------------------------- styles

/** [first, second, share of the second] of what is shown; first is null for a style that is not listed. */
function mix() {
  const names = Object.keys(state?.style || {}).filter((name) => about.styles.includes(name));
  if (!names.length || names.length !== Object.keys(state.style).length || names.length > 2) return [null, null, 0];
  const [a, b] = names;
  return b ? [a, b, state.style[b] / (state.style[a] + state.style[b])] : [a, null, 0];
}

// Which two are blended outlives the moment at which the slider is all on one side.
let pair = [null, null];

function choose(name) {
  pair = [name, null];
  ask({ style: { [name]: 1 } });
  $("blend-row").hidden = true;
}

function blendWith(name) {
  const [first, second] = mix();
  if (!first || name === first) return;
  if (name === second) return choose(first);
  pair = [first, name];
  askBlend(0.5);
}

function askBlend(share) {
  ask({ style: { [pair[0]]: Math.round((1 - share) * 1000) / 1000, [pair[1]]: Math.round(share * 1000) / 1000 } });
}

$("blend").addEventListener("input", ({ target }) => {
  fill(target);
  showBlendWords(1 - target.value);
  askBlend(1 - Number(target.value));
});

function showBlendWords(share) {
  $("blend-out").textContent = `${Math.round((1 - share) * 100)} : ${Math.round(share * 100)}`;
}

let chosen = null;

/** Move the row, and nothing else, so far that a style can be seen. */
function bringIntoView(name) {
  const row = $("styles");
  const card = [...row.children].find((c) => c.dataset.style === name);
  if (!card) return;
  const [left, right] = [card.offsetLeft - row.offsetLeft, card.offsetLeft - row.offsetLeft + card.offsetWidth];
  if (left < row.scrollLeft || right > row.scrollLeft + row.clientWidth) row.scrollTo({ left: left - row.clientWidth / 2 + card.offsetWidth / 2 });
}

function showStyle() {
  const [first, second, share] = mix();
  // All on one side of the slider is still a blend here, and its other style stays at hand.
  if (second && !(pair.includes(first) && pair.includes(second))) pair = [first, second];
  else if (!second && !pair.includes(first)) pair = [first, null];
  const blended = Boolean(pair[1]);
  if (first !== chosen) bringIntoView((chosen = first));
  for (const card of $("styles").querySelectorAll("[data-style]")) {
    const name = card.dataset.style;
    card.classList.toggle("chosen", name === pair[0] && first !== null);
    card.classList.toggle("second", blended && name === pair[1]);
    card.firstChild.setAttribute("aria-pressed", name === pair[0] && first !== null);
    card.lastChild.textContent = blended && name === pair[1] ? "Blended ×" : "Blend";
    card.lastChild.hidden = first === null;
  }
  $("blend-row").hidden = !blended;
  if (!blended) return;
  $("blend-a").textContent = about.names[pair[0]];
  $("blend-b").textContent = about.names[pair[1]];
  if (leftAlone("style")) return;
  const shown = second ? (first === pair[0] ? share : 1 - share) : first === pair[1] ? 1 : 0;
  $("blend").value = 1 - shown;
  fill($("blend"));
  showBlendWords(shown);
}

/** The number that chooses a style by its digits. */
function numbered(number) {
  const made = document.createElement("small");
  made.textContent = number;
  made.ariaHidden = "true";
  return made;
}

function makeCard(name) {
  const card = document.createElement("div");
  card.className = "style";
  card.dataset.style = name;
  const button = document.createElement("button");
  button.innerHTML = '<span class="pic"></span><span class="name"></span>';
  button.lastChild.append(numbered(about.styles.indexOf(name) + 1), about.names[name]);
  button.addEventListener("click", () => choose(name));
  const blend = document.createElement("button");
  blend.className = "mix";
  blend.textContent = "Blend";
  blend.setAttribute("aria-label", `Blend with ${about.names[name]}`);
  blend.addEventListener("click", () => blendWith(name));
  card.append(button, ...(about.paintings.includes(name) ? [makeRemover(name)] : []), blend);
  return card;
}

/** The button that takes away a painting of one's own; it asks once more, until something else is touched. */
function makeRemover(name) {
  const button = document.createElement("button");
  button.className = "remove";
  const ask = (sure) => {
    button.classList.toggle("sure", sure);
    button.textContent = sure ? "Remove?" : "×";
    button.setAttribute("aria-label", `Remove ${about.names[name]}${sure ? "?" : ""}`);
  };
  ask(false);
  button.addEventListener("click", () => {
    if (button.classList.contains("sure")) return send({ remove: name });
    ask(true);
    addEventListener("pointerdown", ({ target }) => { if (target !== button) ask(false); }, { once: true });
  });
  return button;
}

// A mouse wheel turns up and down; the row lies on its side.
$("styles").addEventListener("wheel", (event) => {
  const row = event.currentTarget;
  if (event.deltaX || row.scrollWidth <= row.clientWidth) return;
  row.scrollLeft += event.deltaY;
  event.preventDefault();
}, { passive: false });

const versions = {};

function showThumbnails(found) {
  for (const [name, version] of Object.entries(found)) {
    const card = [...$("styles").children].find((c) => c.dataset.style === name);
    if (!card || versions[name] === version) continue;
    versions[name] = version;
    const image = new Image();
    image.alt = "";
    image.className = "new";
    // Laid over the old one once it is here: nothing flickers.
    image.onload = () => card.querySelector(".pic").append(image);
    image.onanimationend = () => { while (image.previousSibling) image.previousSibling.remove(); };
    image.src = `/thumbnails/${about.styles.indexOf(name)}.jpg?${version}`;
  }
}

// ---------------------------------------------------------------- what the program says

function showAbout(news) {
  const before = about.styles;
  about = news;
  $("engine").textContent = news.engine;
  outputs.offer(news);
  sound.offer(news.sound, news);
  layers.offer(news);
  bring.offer(news);
  const cards = new Map([...$("styles").children].map((card) => [card.dataset.style, card]));
  const moved = news.styles.filter((name, place) => before[place] !== name);  // and have another number
  for (const name of moved) delete versions[name];
  $("styles").replaceChildren(ownPainting, ...news.styles.map((name) => (moved.includes(name) ? makeCard(name) : cards.get(name))));
  const count = news.styles.length + 1;
  const columns = (rows) => Math.ceil(count / (count > ONE_ROW ? rows : 1));
  $("styles").style.setProperty("--columns", columns(2));
  $("styles").style.setProperty("--columns-of-three", columns(3));
  showKeys(news.keys);
  $("bare").textContent = $("bare").title = location.origin + news.bare;
  if (state) showState(state);
}

function showState(news) {
  if (news.presets !== state?.presets) showPresets();
  const more = news.saved !== state?.saved;
  state = news;
  if (more) saved.look();
  if (more) setTimeout(() => saved.look(), VIDEO_ENDS);
  for (const slider of SLIDERS) showSlider(slider, news[slider.id]);
  for (const box of SWITCHES) box.checked = news[box.id];
  for (const toggle of TOGGLES) toggle.setAttribute("aria-pressed", news[toggle.id]);
  $("frozen").querySelector("use").setAttribute("href", news.frozen ? "#i-go" : "#i-freeze");
  $("frozen").querySelector("span").textContent = news.frozen ? "Resume" : "Freeze";
  $("dot").classList.toggle("frozen", news.frozen);
  $("dot").classList.toggle("down", Boolean(news.no_source));
  outputs.show(news);
  sound.show(news);
  showAmount(news.sound_amount);
  layers.show(news);
  learning.show(news);
  sayFolded("layers-card", setInLayers());
  showSource();
  $("mark").hidden = news.on_record === null;
  $("mark").textContent = clock(news.on_record);
  const recording = news.recorded !== null;
  $("record").setAttribute("aria-pressed", recording);
  $("record-out").textContent = recording ? clock(news.recorded) : "Record";
  $("size").textContent = news.image ? `${news.image[0]} × ${news.image[1]}` : "";
  showNote();
  showStyle();
}

/** What is chosen of people and background, but for what is usual: it stands first. */
function setInLayers() {
  const chosen = document.querySelectorAll("#layers-card [aria-pressed=true]:not(:first-child), #layers-card .chosen:not(:first-child)");
  return [...new Set(chosen)].map((one) => one.textContent).join(", ");
}

let own = ["", 0];  // what this page alone has to say, and until when

function tell(text) {
  own = [text, performance.now() + TOLD];
  showNote();
  setTimeout(showNote, TOLD + 50);
}

function showNote() {
  const note = performance.now() < own[1] ? own[0] : state?.note;
  const choosing = Boolean(state?.no_source);  // then it stands above what can be chosen
  if (choosing) $("choose-title").textContent = note || "Choose a source";
  $("toast").classList.toggle("on", Boolean(note) && !choosing);
  if (note) $("toast").textContent = note;
}

const two = (number) => String(number).padStart(2, "0");
const clock = (seconds) => {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
};
const number = (value) => (value === null || value === undefined ? "–" : Math.round(value).toString());
const rate = (value) => (value && value < 9.95 ? value.toFixed(1) : number(value));

function showFigures({ now, history }) {
  const total = now.ms.total;
  now.page = delay;  // from the show into this page and drawn; each page knows its own
  points = points.length ? [...points, now].slice(-120) : history.slice(0, -1).concat(now);
  graph.draw(points);
  const parts = stages(now);
  $("fps").textContent = rate(now.fps);
  $("age").textContent = number(total === null ? null : total + delay);
  $("ms-wait").textContent = number(parts?.wait);
  $("ms-paint").textContent = number(parts?.paint);
  $("ms-show").textContent = number(parts?.show);
  $("ms-page").textContent = number(delay || null);
  $("fps-2").textContent = rate(now.fps);
  $("p95").textContent = `${number(now.p95)} ms`;
  $("p99").textContent = `${number(now.p99)} ms`;
  $("source-fps").textContent = `${number(now.source_fps)} fps`;
  $("dropped").textContent = number(now.dropped);
  $("painting").hidden = !now.painting;
  $("painting").textContent = now.painting;
  $("gpu-row").hidden = now.gpu === null;
  showLoads();
}

function showLoads() {
  for (const name of ["cpu", "gpu"]) {
    const shares = points.map((point) => point[name]).filter((share) => share !== null);
    if (!shares.length) continue;
    $(name).textContent = percent(shares.at(-1));
    drawShares($(`${name}-graph`), shares);
  }
}

$("copy").addEventListener("click", async () => {
  await navigator.clipboard?.writeText($("bare").textContent).catch(() => {});
  $("copy").textContent = "Copied";
  setTimeout(() => { $("copy").textContent = "Copy"; }, 1500);
});
const redraw = () => { graph.draw(points); showLoads(); };
window.addEventListener("resize", redraw);
$("latency-card").addEventListener("toggle", redraw);

// ---------------------------------------------------------------- keys

// The table comes from the program, which obeys most keys itself; these three are the page's own.
const OWN = {
  "f": () => $("full").click(),
  "h": () => document.body.classList.toggle("alone"),
  "?": () => ($("help").open ? $("help").close() : $("help").showModal()),
};
const NAMES = { " ": "space", ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" };
let keys = new Set();  // that the program obeys

function showKeys(table) {
  keys = new Set(table.filter((key) => key.on_page === "show").flatMap((key) => key.names));
  $("help").querySelector("dl").replaceChildren(...table.map(({ shown, does }) => {
    const row = document.createElement("div");
    for (const [tag, text] of [["dt", shown], ["dd", does]]) row.appendChild(document.createElement(tag)).textContent = text;
    return row;
  }));
}

$("keys").addEventListener("click", OWN["?"]);
$("help").addEventListener("click", () => $("help").close());

function press(name) {
  if (OWN[name]) return OWN[name]() || true;
  if ($("help").open || !keys.has(name)) return false;
  if (/^([0-9]|left|right|up|down)$/.test(name)) pair = [null, null];  // another style ends a blend
  send({ press: name });
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input:not([type=checkbox]), select, video") || $("player").open) return;
  if (event.key === " " && event.target.matches("button, input, summary")) return;
  if (event.key === "Escape") document.body.classList.remove("alone");
  else if (press(NAMES[event.key] || event.key.toLowerCase())) event.preventDefault();
});
