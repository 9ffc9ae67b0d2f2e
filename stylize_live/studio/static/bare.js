// The picture alone, for the Browser Source of OBS.
import { connect } from "./link.js";
import { Painter } from "./picture.js";

const painter = new Painter(document.getElementById("picture"));
connect({ bare: true, onPicture: (jpeg, done) => painter.draw(jpeg, done) });
