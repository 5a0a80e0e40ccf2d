import { el } from "./dom.js";

/** The sandbox's time: the browser's clock plus the difference to the server's last time. */
export const clock = {
  offset: 0,
  set(milliseconds) {
    this.offset = milliseconds - Date.now();
  },
  now() {
    return Date.now() + this.offset;
  },
};

const STYLES = {
  t: { timeStyle: "short" },
  T: { timeStyle: "medium" },
  d: { dateStyle: "short" },
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
};

const UNITS = [
  ["year", 365.25 * 86400], ["month", 30.44 * 86400], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1],
];

const relativeFormat = new Intl.RelativeTimeFormat("en", { numeric: "always" });

/** "5 minutes ago", as Discord's `R` style says it. */
export function relative(milliseconds, now = clock.now()) {
  const seconds = (milliseconds - now) / 1000;
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? UNITS.at(-1);
  return relativeFormat.format(Math.trunc(seconds / size), unit);
}

/** A moment in one of Discord's styles t T d D f F R (f when none is given), in the reader's zone. */
export function absolute(milliseconds, style = "f") {
  return new Intl.DateTimeFormat("en", STYLES[style] ?? STYLES.f).format(milliseconds);
}

/** A `<time>` element; `refreshRelative` updates relative ones. */
export function timeElement(milliseconds, style = "f", className = "stamp") {
  return el("time", {
    class: className,
    datetime: new Date(milliseconds).toISOString(),
    title: absolute(milliseconds, "F"),
    dataset: style === "R" ? { relative: milliseconds } : {},
    text: style === "R" ? relative(milliseconds) : absolute(milliseconds, style),
  });
}

/** "today at 14:05" beside a message; the date once it is another day. */
export function messageTime(milliseconds) {
  const sameDay = new Date(milliseconds).toDateString() === new Date(clock.now()).toDateString();
  return timeElement(milliseconds, sameDay ? "t" : "f", "when");
}

export function refreshRelative() {
  for (const node of document.querySelectorAll("time[data-relative]")) {
    const text = relative(Number(node.dataset.relative));
    if (node.textContent !== text) node.textContent = text;
  }
}
