// Draws JPEGs on a canvas, each in the browser's next frame; a newer one replaces one that waits.

export class Painter {
  #canvas;
  #pen;
  #waiting = null;
  #number = 0;
  #drawn = 0;

  constructor(canvas, onSize = () => {}) {
    this.#canvas = canvas;
    this.#pen = canvas.getContext("2d", { alpha: false, desynchronized: true });
    this.onSize = onSize;
  }

  async draw(jpeg, done) {
    const number = ++this.#number;
    let bitmap;
    try {
      bitmap = await createImageBitmap(jpeg);
    } catch {
      return done();
    }
    if (number < this.#drawn) {  // decoded after one that is newer
      bitmap.close();
      return done();
    }
    this.#drawn = number;
    if (this.#waiting) {
      this.#waiting.bitmap.close();
      this.#waiting.done();
    } else {
      requestAnimationFrame(() => this.#show());
    }
    this.#waiting = { bitmap, done };
  }

  #show() {
    const { bitmap, done } = this.#waiting;
    this.#waiting = null;
    const { width, height } = bitmap;
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
      this.onSize(width, height);
    }
    this.#pen.drawImage(bitmap, 0, 0);
    bitmap.close();
    done();
  }
}
