// The image alone, for the Browser Source of OBS.
import { connect } from "./link.js";
import { Painter } from "./image.js";

const painter = new Painter(document.getElementById("image"));
connect({ bare: true, onImage: (jpeg, mask, done) => painter.draw(jpeg, mask, done) });
