// Latency by stage as layers, frames a second as a line, over the last minute.

const LAYERS = ["wait", "paint", "show", "send"];
const KEPT = 120;

/** Milliseconds that each stage took, from the ages at its end. */
export function stages(point) {
  const { capture, inference, display, total } = point.ms;
  if (total === null) return null;
  return { wait: capture, paint: inference - capture, show: display - inference + (total - display), send: point.page || 0 };
}

/** A round number at or above the largest value, for the scale. */
function ceiling(value) {
  for (const step of [20, 40, 60, 80, 100, 150, 200, 300, 400, 600, 800, 1000, 2000, 5000]) if (value <= step) return step;
  return Math.ceil(value / 10000) * 10000;
}

/** An empty canvas as sharp as the screen: a pen in CSS pixels, width and height. */
function cleared(canvas) {
  const { width, height } = canvas.getBoundingClientRect();
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  return { pen, width, height };
}

/** Shares from 0 to 1 over the last minute, as a filled line. */
export function drawShares(canvas, shares) {
  const { pen, width, height } = cleared(canvas);
  if (!width) return;
  const style = getComputedStyle(document.documentElement);
  const x = (i) => width - ((shares.length - 1 - i) / (KEPT - 1)) * width;
  const y = (share) => height - 1 - share * (height - 2);
  pen.beginPath();
  shares.forEach((share, i) => pen.lineTo(x(i), y(share)));
  pen.strokeStyle = style.getPropertyValue("--text").trim();
  pen.lineWidth = 1.5;
  pen.lineJoin = "round";
  pen.stroke();
  pen.lineTo(width, height);
  pen.lineTo(x(0), height);
  pen.fillStyle = style.getPropertyValue("--line").trim();
  pen.globalCompositeOperation = "destination-over";
  pen.fill();
}

export class Graph {
  #canvas;
  #ink;

  constructor(canvas) {
    this.#canvas = canvas;
    const style = getComputedStyle(document.documentElement);
    this.#ink = Object.fromEntries([...LAYERS, "rate", "dim", "line"].map((n) => [n, style.getPropertyValue("--" + n).trim()]));
  }

  draw(points) {
    const { pen, width, height } = cleared(this.#canvas);
    if (!width) return;

    const rows = points.map((p) => ({ parts: stages(p), fps: p.fps }));
    const sums = rows.map((r) => (r.parts ? LAYERS.reduce((sum, n) => sum + r.parts[n], 0) : 0));
    const [mostMs, mostFps] = [ceiling(Math.max(20, ...sums)), ceiling(Math.max(20, ...rows.map((r) => r.fps)) * 1.05)];
    const [left, right, top, bottom] = [0, width, 16, height - 2];
    const x = (i) => right - ((rows.length - 1 - i) / (KEPT - 1)) * (right - left);
    const y = (value, most) => bottom - (value / most) * (bottom - top);

    pen.font = "11px system-ui, sans-serif";
    pen.strokeStyle = this.#ink.line;
    pen.lineWidth = 1;
    for (const share of [0, 0.5, 1]) {
      const at = Math.round(bottom - share * (bottom - top)) + 0.5;
      pen.beginPath();
      pen.moveTo(left, at);
      pen.lineTo(right, at);
      pen.stroke();
    }
    const floor = rows.map(() => 0);
    for (const name of LAYERS) {
      const before = floor.slice();
      rows.forEach((row, i) => { if (row.parts) floor[i] += Math.max(0, row.parts[name]); });
      if (rows.length < 2) continue;
      pen.beginPath();
      floor.forEach((value, i) => pen.lineTo(x(i), y(value, mostMs)));
      before.forEach((_, i) => pen.lineTo(x(rows.length - 1 - i), y(before[rows.length - 1 - i], mostMs)));
      pen.fillStyle = this.#ink[name];
      pen.globalAlpha = 0.78;
      pen.fill();
      pen.globalAlpha = 1;
    }
    pen.beginPath();
    rows.forEach((row, i) => pen.lineTo(x(i), y(row.fps, mostFps)));
    pen.strokeStyle = this.#ink.rate;
    pen.lineWidth = 1.5;
    pen.lineJoin = "round";
    pen.stroke();
    pen.fillStyle = this.#ink.dim;
    pen.fillText(`${mostMs} ms`, left, 10);
    pen.textAlign = "right";
    pen.fillText(`${mostFps} fps`, right, 10);
  }
}
