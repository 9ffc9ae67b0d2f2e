// The line to the program: one WebSocket, opened again whenever it breaks.

const FIRST_PAUSE = 400;
const LONGEST_PAUSE = 4000;

/**
 * Connect and stay connected.
 *
 * onImage(jpeg, mask, done): an image came, and how opaque it is, null if it all is; call done() once it is drawn,
 * then the next one is sent.
 * onWords(words): something about the show came.
 * onLine(up): the connection came or went.
 * watches: whether images are to be painted for this page.
 *
 * Returns send(message); what is sent while the line is down is lost.
 */
export function connect({ bare = false, watches = true, onImage, onWords = () => {}, onLine = () => {} }) {
  let socket = null;
  let pause = FIRST_PAUSE;

  const send = (message) => {
    if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  };
  const tellVisible = () => send({ visible: watches && document.visibilityState === "visible" });

  function open() {
    const mine = new WebSocket(`ws://${location.host}/live?masks=1${bare ? "&bare=1" : ""}`);
    socket = mine;
    mine.binaryType = "arraybuffer";
    mine.onopen = () => {
      pause = FIRST_PAUSE;
      tellVisible();
      onLine(true);
    };
    mine.onmessage = ({ data }) => {
      if (typeof data === "string") return onWords(JSON.parse(data));
      const view = new DataView(data);
      const [number, end] = [view.getUint32(0), 8 + view.getUint32(4)];
      const done = () => { if (mine === socket) send({ ack: number }); };
      const mask = end < data.byteLength ? new Blob([new Uint8Array(data, end)], { type: "image/png" }) : null;
      onImage(new Blob([new Uint8Array(data, 8, end - 8)], { type: "image/jpeg" }), mask, done);
    };
    mine.onclose = ({ code }) => {
      onLine(false, code);
      setTimeout(open, pause);
      pause = Math.min(LONGEST_PAUSE, pause * 1.6);
    };
  }

  document.addEventListener("visibilitychange", tellVisible);
  open();
  return send;
}
