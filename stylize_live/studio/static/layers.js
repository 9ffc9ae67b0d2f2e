// You and the background: what is painted, the background's style, and what stands there. Which options these are
// comes with the page: each stands in its element, with what is offered for it.

const USUAL_COLOR = "#00b140";  // the green of studios

/** Words beside colors and files that stand behind people, and what they are called. */
const WORDS = [["", "As it is"], ["blur", "Blurred"], ["transparent", "Nothing"]];

export function swatch(value, name, more = "") {
  const button = document.createElement("button");
  button.className = `swatch ${more}`;
  button.dataset.value = value;
  button.title = name;
  const label = document.createElement("span");
  label.textContent = name;
  button.append(label);
  return button;
}

/** Fill a group with swatches, [value, name] each; those that are there stay as they are. */
export function fillSwatches(group, wanted) {
  const known = new Map([...group.children].map((one) => [one.dataset.value, one]));
  group.replaceChildren(...wanted.map(([value, name, more]) => known.get(value) || swatch(value, name, more)));
}

export function image(address) {
  const made = new Image();
  made.alt = "";
  made.loading = "lazy";
  made.src = address;
  made.onerror = () => made.remove();
  return made;
}

const isColor = (value) => /^#[0-9a-f]{6}$/i.test(value);
const titleOf = (name) => name.replace(/\.[^.]+$/, "").replace(/[-_]+/g, " ");

export class Layers {
  #ask;
  #choices = [...document.querySelectorAll("[data-choice]")];
  #pickers = [...document.querySelectorAll("[data-picker]")];
  #offered = {};
  #styles = [];
  #own;

  /** ask(changes): asks the program; look(): has it look for new files; own: where a file of one's own is picked. */
  constructor(ask, look, own) {
    this.#ask = ask;
    this.#own = own;
    for (const group of this.#choices) {
      group.addEventListener("click", ({ target }) => {
        const word = target.closest("button")?.dataset.word;
        if (word) ask({ [group.id]: word });
      });
    }
    for (const group of this.#pickers) {
      group.addEventListener("click", ({ target }) => {
        const button = target.closest("button");
        if (button) ask({ [group.id]: button.dataset.value });
      });
      group.addEventListener("pointerenter", look);
    }
  }

  /** The styles, in the order of their numbers. */
  offer({ styles, names }) {
    this.#styles = styles;
    for (const group of this.#pickers.filter((one) => one.dataset.picker === "styles")) {
      fillSwatches(group, [["", "The same"], ...styles.map((style) => [style, names[style]])]);
    }
  }

  /** Images of styles are new. */
  thumbnails(versions) {
    for (const group of this.#pickers.filter((one) => one.dataset.picker === "styles")) {
      for (const button of group.children) {
        const index = this.#styles.indexOf(button.dataset.value);
        if (index < 0 || !versions[button.dataset.value] || button.querySelector("img")) continue;
        button.prepend(image(`/thumbnails/${index}.jpg?${versions[button.dataset.value]}`));
      }
    }
  }

  show(state) {
    for (const group of this.#choices) {
      for (const button of group.children) button.setAttribute("aria-pressed", button.dataset.word === state[group.id]);
    }
    for (const group of this.#pickers) {
      if (group.dataset.picker === "backgrounds") this.#fill(group, state.backgrounds || []);
      this.#mark(group, state[group.id]);
    }
  }

  /** Words, a color and files, unless they are there already. */
  #fill(group, files) {
    const wanted = JSON.stringify(files);
    if (this.#offered[group.id] === wanted) return;
    this.#offered[group.id] = wanted;
    const words = WORDS.map(([value, name]) => swatch(value, name, value || "kept"));
    const images = files.map((name) => {
      const button = swatch(name, titleOf(name));
      button.prepend(image(`/backgrounds/${encodeURIComponent(name)}`));
      return button;
    });
    group.replaceChildren(...words, this.#color(group.id), ...images, this.#own);
  }

  #color(id) {
    const label = document.createElement("label");
    label.className = "swatch color";
    label.title = "A colour";
    const input = document.createElement("input");
    input.type = "color";
    input.value = USUAL_COLOR;
    input.setAttribute("aria-label", "A colour behind you");
    const send = () => this.#ask({ [id]: input.value });
    input.addEventListener("input", send);
    input.addEventListener("click", send);
    const name = document.createElement("span");
    name.textContent = "Colour";
    label.append(input, name);
    return label;
  }

  #mark(group, value) {
    for (const child of group.children) {
      if (child === this.#own) continue;
      const input = child.querySelector("input");
      const chosen = input ? isColor(value) : child.dataset.value === value;
      child.classList.toggle("chosen", chosen);
      if (input && chosen && document.activeElement !== input) input.value = value;
      if (!input) child.setAttribute("aria-pressed", chosen);
    }
  }
}
