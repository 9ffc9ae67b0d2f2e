// Draws JPEGs on a canvas, each in the browser's next frame; a newer one replaces one that waits. Where one comes
// with a mask, only what that leaves is drawn.

export class Painter {
  #canvas;
  #pen;
  #waiting = null;
  #number = 0;
  #drawn = 0;

  constructor(canvas, onSize = () => {}) {
    this.#canvas = canvas;
    this.#pen = canvas.getContext("2d", { desynchronized: true });
    this.onSize = onSize;
  }

  async draw(jpeg, mask, done) {
    const number = ++this.#number;
    let parts;
    try {
      parts = await Promise.all([jpeg, mask].filter(Boolean).map((blob) => createImageBitmap(blob)));
    } catch {
      return done();
    }
    if (number < this.#drawn) {  // decoded after one that is newer
      for (const bitmap of parts) bitmap.close();
      return done();
    }
    this.#drawn = number;
    if (this.#waiting) {
      for (const bitmap of this.#waiting.parts) bitmap.close();
      this.#waiting.done();
    } else {
      requestAnimationFrame(() => this.#show());
    }
    this.#waiting = { parts, done };
  }

  #show() {
    const { parts: [image, mask], done } = this.#waiting;
    this.#waiting = null;
    const { width, height } = image;
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
      this.onSize(width, height);
    }
    this.#pen.globalCompositeOperation = "copy";
    this.#pen.drawImage(image, 0, 0);
    image.close();
    if (mask) {
      this.#pen.globalCompositeOperation = "destination-in";
      this.#pen.drawImage(mask, 0, 0, width, height);
      mask.close();
    }
    done();
  }
}
