// Learning the painting that is the style: how far it is, and what can be done about it.

const $ = (id) => document.getElementById(id);

/** Seconds in words that need not be exact: "about 4 minutes". */
function roughly(seconds) {
  if (seconds < 50) return `about ${Math.max(5, seconds)} seconds`;
  if (seconds > 5400) return `about ${Math.round(seconds / 3600)} hours`;
  const minutes = Math.round(seconds / 60);
  return `about ${minutes} ${minutes === 1 ? "minute" : "minutes"}`;
}

function wordsOf({ state, percent, left, steps, trouble, first_look, held_up, period, memory }) {
  if (trouble) return trouble;
  if (state === "starting") return "Getting ready. The image stays as it is meanwhile";
  if (state === "learning") {
    return `${percent} % learnt, ${roughly(left)} to go${held_up ? ". The show leaves little of this machine: paused, it leaves all" : ""}`;
  }
  if (state === "paused") return `Paused at ${percent} %${first_look && steps ? ", showing the first look" : ""}`;
  if (state === "done") return `Learnt in ${steps} steps`;
  return steps ? `Ended at ${percent} %${first_look ? ", showing the first look" : ""}` : `This is a first look. It gets better while you watch, in ${roughly(period)} of practice, with ${memory} of memory`;
}

function buttonOf({ state, steps }, on) {
  if (on) return "Pause";
  if (state === "done") return "Learn on";
  return steps ? "Go on" : "Learn this painting";
}

export class Learning {
  #on = false;

  /** ask(changes): asks the program; send(message): has it do something. */
  constructor(ask, send) {
    $("learning").addEventListener("click", () => ask({ learning: !this.#on }));
    $("keep").addEventListener("submit", (event) => {
      event.preventDefault();
      const name = $("keep-name").value.trim();
      if (!name) return;
      send({ keep: name });
      $("keep-name").value = "";
      $("keep-name").blur();
    });
  }

  show({ learning, learnt }) {
    const can = Boolean(learnt?.painting);
    $("learning-card").hidden = !can;
    if (!can) return;
    this.#on = learning;
    const busy = ["starting", "learning", "paused"].includes(learnt.state);
    $("learning-name").textContent = learnt.painting;
    $("learning").textContent = buttonOf(learnt, learning);
    $("learning").classList.toggle("first", !learning && !learnt.steps);
    const bar = $("learning-bar");
    bar.hidden = !learnt.steps && !busy;
    bar.classList.toggle("waiting", learnt.state === "starting");
    bar.setAttribute("aria-valuenow", learnt.percent);
    bar.style.setProperty("--part", learnt.percent / 100);
    $("learning-now").textContent = wordsOf(learnt);
    $("learning-now").classList.toggle("wrong", Boolean(learnt.trouble));
    $("end_learning").hidden = !busy;
    $("undo_learning").hidden = learnt.first_look;
    $("keep").hidden = learnt.first_look;
  }
}
