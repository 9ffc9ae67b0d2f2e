// Files of one's own, picked or dropped: a painting to paint in, or what stands behind people. Where it is dropped
// says which: on "You and the background" it stands there; anywhere else it is a painting, but for a video.

const MB = 2 ** 20;
const STILL = 700;  // ms without a word of what is dragged: it has left the page

/** By the folder that it goes to: what is taken, and what is done with it once it is there. */
const KINDS = {
  paintings: { accept: "image/*", taken: /^image\//, what: "image", then: "Looking at" },
  backgrounds: { accept: "image/*,video/*", taken: /^(image|video)\//, what: "image or video", then: "Opening" },
};

const carriesFiles = ({ dataTransfer }) => dataTransfer?.types.includes("Files");

export class Bring {
  #choose;
  #tell;
  #limits = {};
  #turn = Promise.resolve();
  #request = null;
  #timer = 0;
  #status = document.getElementById("coming");

  /** choose: by kind, called with what a file is called once it is there; tell(text): says what went wrong. */
  constructor(choose, tell) {
    this.#choose = choose;
    this.#tell = tell;
    this.#status.querySelector("button").addEventListener("click", () => this.#request?.abort());
    addEventListener("dragover", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      document.body.dataset.drop = this.#kindAt(event);
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#hide(), STILL);
    });
    addEventListener("drop", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      this.#hide();
      this.take(this.#kindAt(event), event.dataTransfer.files);
    });
    addEventListener("dragleave", ({ relatedTarget }) => { if (!relatedTarget) this.#hide(); });
  }

  /** How many bytes a file of each kind may have. */
  offer({ limits }) {
    this.#limits = limits;
  }

  /** Where a file is picked: a tile that opens the system's list of files, or a phone's camera. */
  tile(kind, look, title, ...inside) {
    const label = document.createElement("label");
    label.className = `bring ${look}`;
    label.title = title;
    const input = document.createElement("input");
    input.type = "file";
    input.accept = KINDS[kind].accept;
    input.setAttribute("aria-label", title);
    input.addEventListener("change", () => {
      this.take(kind, input.files);
      input.value = "";
    });
    label.append(input, ...inside);
    return label;
  }

  /** Take files, one after the other. */
  take(kind, files) {
    for (const file of [...files]) this.#turn = this.#turn.then(() => this.#takeOne(kind, file));
  }

  #kindAt({ target, dataTransfer }) {
    const isVideo = [...dataTransfer.items].some(({ type }) => type.startsWith("video/"));
    return isVideo || target.closest?.("#layers-card") ? "backgrounds" : "paintings";
  }

  #hide() {
    clearTimeout(this.#timer);
    delete document.body.dataset.drop;
  }

  async #takeOne(kind, file) {
    try {
      this.#check(kind, file);
      this.#choose[kind](await this.#send(kind, file));
    } catch (error) {
      this.#tell(`${file.name}: ${error.message}`);
    } finally {
      this.#status.hidden = true;
      this.#request = null;
    }
  }

  #check(kind, { type, size }) {
    if (type && !KINDS[kind].taken.test(type)) throw new Error(`This is no ${KINDS[kind].what}.`);
    if (size > this.#limits[kind]) throw new Error(`It may have ${this.#limits[kind] / MB} MB at most.`);
  }

  #send(kind, file) {
    return new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(why));
      const request = this.#request = new XMLHttpRequest();
      request.open("POST", `/${kind}?name=${encodeURIComponent(file.name)}`);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.responseType = "json";
      request.upload.onprogress = ({ loaded, total }) => this.#show(kind, file, total ? loaded / total : 0);
      request.onload = () => (request.status === 201 ? resolve(request.response.name) : fail(request.response?.error || "It was not taken."));
      request.onerror = () => fail("It did not arrive.");
      request.onabort = () => fail("Cancelled.");
      this.#show(kind, file, 0);
      request.send(file);
    });
  }

  #show(kind, { name }, part) {
    this.#status.hidden = false;
    this.#status.classList.toggle("there", part >= 1);
    this.#status.style.setProperty("--part", part);
    this.#status.querySelector("span").textContent = part >= 1 ? `${KINDS[kind].then} ${name}` : `${name}, ${Math.round(100 * part)} %`;
  }
}
