// Groups that fold: which ones stand open is remembered by this browser, and a folded one says what is set in it.

const KEY = "folds";

/** By a group's id, whether it is open; nothing where the browser keeps nothing. */
function remembered() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    return kept && typeof kept === "object" ? kept : {};
  } catch {
    return {};
  }
}

function remember(id, open) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...remembered(), [id]: open }));
  } catch { /* a browser that keeps nothing */ }
}

/** Open and fold groups as they were left. */
export function makeFolds() {
  const kept = remembered();
  for (const group of document.querySelectorAll("details.card")) {
    if (group.id in kept) group.open = kept[group.id] === true;
    // Only what somebody does is kept: the page's own choice may be another one some day.
    group.querySelector("summary").addEventListener("click", () => remember(group.id, !group.open));
  }
}

/** What a folded group says of itself, and whether something is wrong there. */
export function sayFolded(id, words, wrong = false) {
  const line = document.querySelector(`#${id} > summary .now`);
  if (line.textContent !== words) line.textContent = words;
  line.classList.toggle("wrong", wrong);
}
