// This browser's own camera, sent to the program over WebRTC. The painted image comes back as to every page.

const GATHER = 3000;  // ms until an address that is not found yet is done without
const AGAIN = 2000;  // ms until a call that broke off is tried again
const REFUSED = {
  NotAllowedError: "The browser does not allow this page to use the camera: see the icon in its address bar",
  NotFoundError: "This machine has no camera",
  NotReadableError: "Another program uses this camera",
};

/** Why this page cannot have its camera, or "". */
function hindrance(missing) {
  if (missing) return missing;
  if (navigator.mediaDevices?.getUserMedia && window.RTCPeerConnection) return "";
  if (window.isSecureContext) return "This browser gives pages no access to the camera";
  const port = location.port;
  return `Browsers allow the camera only to pages of their own machine: run  ssh -L ${port}:127.0.0.1:${port} ${location.hostname}  there and open 127.0.0.1:${port}`;
}

/** Until all addresses are in the offer: it is sent once, whole. */
function gathered(peer) {
  return new Promise((done) => {
    setTimeout(done, GATHER);
    peer.onicegatheringstatechange = () => { if (peer.iceGatheringState === "complete") done(); };
  });
}

export class Camera {
  #send;
  #changed;
  #stream = null;
  #peer = null;

  /** changed(why): it was turned on or off; why it cannot be on, or "". */
  constructor(send, changed) {
    this.#send = send;
    this.#changed = changed;
  }

  get on() { return this.#stream !== null; }

  async turnOn({ width, height, fps, missing }) {
    const why = hindrance(missing);
    if (why) return this.#changed(why);
    try {
      const wanted = { width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: fps, max: fps } };
      this.#stream ??= await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
    } catch (error) {
      return this.#changed(REFUSED[error.name] || `Cannot open the camera: ${error.message}`);
    }
    this.#stream.getVideoTracks()[0].onended = () => this.#turnOff("The camera was disconnected");
    await this.#call();
    this.#changed("");
  }

  /** The line to the program is back; it has forgotten our call. */
  again() {
    if (this.on) this.#call();
  }

  /** The program's word on our camera. */
  hear({ answer, off }) {
    if (off !== undefined) this.#turnOff(off);
    else if (this.#peer?.signalingState === "have-local-offer") this.#peer.setRemoteDescription({ type: "answer", sdp: answer });
  }

  async #call() {
    this.#peer?.close();
    const peer = new RTCPeerConnection();
    this.#peer = peer;
    peer.addTransceiver(this.#stream.getVideoTracks()[0], { direction: "sendonly", streams: [this.#stream] });
    peer.onconnectionstatechange = () => {
      if (peer.connectionState !== "failed") return;
      this.#changed("No connection for the camera: UDP between both machines must not be blocked");
      setTimeout(() => { if (peer === this.#peer) this.#call(); }, AGAIN);
    };
    const whole = gathered(peer);
    await peer.setLocalDescription();
    await whole;
    if (peer === this.#peer) this.#send({ camera: peer.localDescription.sdp, set: { source: "browser" } });
  }

  #turnOff(why) {
    for (const track of this.#stream?.getTracks() || []) track.stop();
    this.#stream = null;
    this.#peer?.close();
    this.#peer = null;
    this.#changed(why);
  }
}
