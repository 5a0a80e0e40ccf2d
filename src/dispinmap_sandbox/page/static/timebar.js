import { post } from "./api.js";
import { byId } from "./dom.js";
import { clock, refreshRelative } from "./time.js";

const TICK_MILLISECONDS = 1000;

/** The sandbox's clock and its fast-forward buttons. `notify(text, isError)` tells the person what happened. */
export function startTimebar(notify) {
  for (const button of document.querySelectorAll("[data-forward]")) {
    button.addEventListener("click", () => forward(Number(button.dataset.forward), button.textContent, notify));
  }
  setInterval(tick, TICK_MILLISECONDS);
}

async function forward(seconds, label, notify) {
  try {
    setClock((await post("/api/clock", { seconds })).now);
    notify(`The clock jumped: ${label}.`);
  } catch (error) {
    notify(error.message, true);
  }
}

export function setClock(now) {
  clock.set(now);
  tick();
}

function tick() {
  const now = new Date(clock.now());
  byId("clock").textContent = now.toLocaleTimeString("en", { timeStyle: "medium", hourCycle: "h23" });
  byId("clock").dateTime = now.toISOString();
  byId("clock-date").textContent = now.toLocaleDateString("en", { weekday: "short", day: "numeric", month: "short" });
  refreshRelative();
}

export const skipsWaiting = () => byId("skip").checked;
