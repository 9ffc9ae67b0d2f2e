// Snapshots and recordings: listed, shown or played, and downloaded.

const KINDS = { png: "#i-snap", mp4: "#i-go" };
const NAME = /^(.*)-(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)-\d{3}\.(png|mp4)$/u;

/** A size for people. */
function size(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} KB` : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

/** What a file's name tells: which style, when, and what it is. */
function told(name) {
  const [, style, year, month, day, hour, minute, second, kind] = NAME.exec(name) || [];
  if (!kind) return null;
  const moment = new Date(year, month - 1, day, hour, minute, second);
  return { style, kind, when: moment.toLocaleString([], { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" }) };
}

export function icon(id) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.append(document.createElementNS("http://www.w3.org/2000/svg", "use"));
  svg.firstChild.setAttribute("href", id);
  return svg;
}

export function element(tag, text = "", className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

export class Saved {
  #list;
  #dialog;
  #label;

  /** list: where rows go; dialog: shows one; label(style): its name for people. */
  constructor(list, dialog, label) {
    this.#list = list;
    this.#dialog = dialog;
    this.#label = label;
    dialog.addEventListener("close", () => dialog.querySelector(".screen").replaceChildren());
    dialog.addEventListener("click", ({ target }) => { if (target === dialog) dialog.close(); });
    dialog.querySelector(".close").addEventListener("click", () => dialog.close());
  }

  /** Ask what there is. */
  async look() {
    const answer = await fetch("/saved").catch(() => null);
    if (!answer?.ok) return;
    const files = (await answer.json()).filter(({ name }) => told(name));
    this.#list.replaceChildren(...files.map((file) => this.#row(file)));
    this.#list.parentElement.classList.toggle("empty", !files.length);
  }

  #row({ name, size: bytes }) {
    const { style, kind, when } = told(name);
    const row = element("li");
    const open = element("button");
    open.append(icon(KINDS[kind]), element("span", this.#label(style)), element("small", `${when} · ${size(bytes)}`));
    open.setAttribute("aria-label", `${kind === "mp4" ? "Play" : "Show"} ${name}`);
    open.addEventListener("click", () => this.#open(name, kind));
    row.append(open, this.#link(name));
    return row;
  }

  #link(name) {
    const link = element("a", "", "plain");
    link.append(icon("#i-get"));
    link.href = `/saved/${encodeURIComponent(name)}`;
    link.download = name;
    link.setAttribute("aria-label", `Download ${name}`);
    return link;
  }

  #open(name, kind) {
    const shown = element(kind === "mp4" ? "video" : "img");
    if (kind === "mp4") Object.assign(shown, { controls: true, autoplay: true, playsInline: true, loop: true });
    else shown.alt = name;
    shown.src = `/saved/${encodeURIComponent(name)}`;
    this.#dialog.querySelector(".screen").replaceChildren(shown);
    this.#dialog.querySelector(".title").textContent = name;
    const link = this.#link(name);
    link.append("Download");
    this.#dialog.querySelector(".get").replaceChildren(link);
    this.#dialog.showModal();
  }
}
