import { post } from "./api.js";
import { byId, count, el } from "./dom.js";
import { Suggestions } from "./suggestions.js";
import { timeElement } from "./time.js";
import { setClock, skipsWaiting } from "./timebar.js";

const MOST_SUGGESTIONS = 30;
const KINDS = {
  new_lmx: ["+", "added", "came"],
  remove_machine: ["−", "removed", "left"],
  new_condition: ["“", "comment", "said"],
  new_msx: ["★", "score", "said"],
  confirm_location: ["✓", "Line-up confirmed", "checked"],
  add_location: ["+", "Location opened", "came"],
  delete_location: ["−", "Location closed", "left"],
};

/** The Pinball Map panel: what a visitor of the map can do to the sandbox's world. */
export class Panel {
  constructor() {
    this.world = { locations: [], catalog: [], submissions: [] };
    this.chosen = null;
    this.writing = null; // the form that is open under a machine: {machine: id, what: "comment" or "score"}
    this.machine = null;
    this.suggestions = new Suggestions(byId("catalog-list"), (item) => this.chooseMachine(item));
    byId("venue-search").addEventListener("input", () => this.renderVenues());
    byId("venue-back").addEventListener("click", () => this.open(null));
    byId("confirm").addEventListener("click", () => this.act("confirm", {}, "Line-up confirmed"));
    byId("close-venue").addEventListener("click", () => this.closeVenue());
    byId("surprise").addEventListener("click", () => this.act("surprise", {}, "Something new happened"));
    byId("open-venue").addEventListener("submit", (event) => this.openVenue(event));
    byId("add-machine").addEventListener("submit", (event) => this.addMachine(event));
    const field = byId("machine-search");
    field.addEventListener("input", () => this.suggestMachines());
    field.addEventListener("focus", () => this.suggestMachines());
    field.addEventListener("blur", () => this.suggestions.hide());
    field.addEventListener("keydown", (event) => this.suggestions.handleKey(event));
  }

  show(world) {
    this.world = world;
    this.renderVenues();
    this.renderVenue();
    this.renderSubmissions();
  }

  notify(text, isError = false) {
    const line = byId("panel-status");
    line.textContent = text;
    line.classList.toggle("error", isError);
  }

  get location() {
    return this.world.locations.find(({ id }) => id === this.chosen) ?? null;
  }

  open(id) {
    const left = this.chosen;
    this.chosen = id;
    this.writing = null;
    this.forgetMachine();
    this.renderVenue();
    if (id !== null) byId("venue-back").focus();
    else byId("venues").querySelector(`[data-id="${left}"]`)?.focus();
  }

  renderVenues() {
    const words = byId("venue-search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = this.world.locations.filter(({ name, city }) => {
      const text = `${name} ${city ?? ""}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    byId("venues").replaceChildren(...fits.map((venue) => this.venueRow(venue)));
    byId("venue-count").textContent = fits.length ? count(fits.length, "venue") : "No venue has that name.";
  }

  venueRow({ id, name, city, machines }) {
    return el(
      "li",
      {},
      el(
        "button",
        { type: "button", class: "venue", dataset: { id }, on: { click: () => this.open(id) } },
        el("span", { class: "venue-label", text: name }),
        el("span", { class: "detail", text: `${city ?? "somewhere"} · ${count(machines.length, "machine")}` }),
      ),
    );
  }

  renderVenue() {
    const venue = this.location;
    byId("venue-list").hidden = venue !== null;
    byId("venue-card").hidden = venue === null;
    if (!venue) return;
    byId("venue-name").textContent = venue.name;
    byId("venue-facts").textContent = `${venue.city ?? "somewhere"} · ${count(venue.machines.length, "machine")} · id ${venue.id}`;
    const machines = [...venue.machines].sort((a, b) => a.name.localeCompare(b.name));
    byId("machines").replaceChildren(...machines.map((machine) => this.machineRow(machine)));
  }

  machineRow(machine) {
    const open = this.writing?.machine === machine.id ? this.writing.what : null;
    const toggle = (what) => () => {
      this.writing = open === what ? null : { machine: machine.id, what };
      this.renderVenue();
      byId("machine-form-field")?.focus();
    };
    return el(
      "li",
      { class: "machine" },
      el("span", { class: "machine-name", text: machine.name }),
      el("button", { type: "button", class: "small", "aria-expanded": String(open === "comment"), "aria-label": `Comment on ${machine.name}`, text: "Comment", on: { click: toggle("comment") } }),
      el("button", { type: "button", class: "small", "aria-expanded": String(open === "score"), "aria-label": `Score on ${machine.name}`, text: "Score", on: { click: toggle("score") } }),
      el("button", {
        type: "button",
        class: "small danger",
        "aria-label": `Remove ${machine.name}`,
        text: "Remove",
        on: { click: () => this.act("remove", { machine: machine.id }, `Removed ${machine.name}`) },
      }),
      open === "comment" ? this.commentForm(machine) : null,
      open === "score" ? this.scoreForm(machine) : null,
    );
  }

  commentForm(machine) {
    const text = el("textarea", { id: "machine-form-field", rows: "2", required: true, maxlength: "2000", "aria-label": `Comment on ${machine.name}`, placeholder: "Left flipper is weak…" });
    const send = (event) => {
      event.preventDefault();
      this.writing = null;
      this.act("comment", { machine: machine.id, text: text.value }, `Commented on ${machine.name}`);
    };
    return el("form", { class: "comment-form", on: { submit: send } }, text, el("button", { type: "submit", class: "small primary", text: "Post comment" }));
  }

  scoreForm(machine) {
    const points = el("input", { id: "machine-form-field", type: "number", min: "1", max: "999999999999", required: true, "aria-label": `Score on ${machine.name}`, placeholder: "1234567" });
    const send = (event) => {
      event.preventDefault();
      this.writing = null;
      this.act("score", { machine: machine.id, points: points.valueAsNumber }, `Posted a score on ${machine.name}`);
    };
    return el("form", { class: "comment-form", on: { submit: send } }, points, el("button", { type: "submit", class: "small primary", text: "Post score" }));
  }

  openVenue(event) {
    event.preventDefault();
    const field = byId("new-venue");
    const name = field.value.trim();
    field.value = "";
    this.act("open", { name }, `Opened ${name}`);
  }

  async closeVenue() {
    const { name } = this.location;
    if (await this.act("close", {}, `Closed ${name}`)) this.open(null);
  }

  suggestMachines() {
    const field = byId("machine-search");
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const here = new Set(this.location?.machines.map(({ id }) => id));
    const fits = this.world.catalog.filter(({ id, name }) => !here.has(id) && words.every((word) => name.toLowerCase().includes(word)));
    const items = fits.slice(0, MOST_SUGGESTIONS).map(({ id, name }) => ({ label: name, id }));
    this.machine = items.find(({ label }) => label.toLowerCase() === field.value.trim().toLowerCase()) ?? null;
    this.suggestions.show(field, items, { active: words.length ? 0 : -1 });
  }

  chooseMachine(item) {
    this.machine = item;
    byId("machine-search").value = item.label;
    byId("machine-add").focus();
  }

  forgetMachine() {
    this.machine = null;
    byId("machine-search").value = "";
    this.suggestions.hide();
  }

  addMachine(event) {
    event.preventDefault();
    const { machine } = this;
    if (!machine) {
      this.notify("Choose a machine from the list first.", true);
      byId("machine-search").focus();
      return;
    }
    this.forgetMachine();
    this.act("add", { machine: machine.id }, `Added ${machine.label}`);
  }

  /** `kind`: add, remove, comment, score, confirm, open, close or surprise, at the chosen venue. Whether it worked. */
  async act(kind, details, done) {
    const skip = skipsWaiting();
    const body = { ...details, kind, location: this.chosen, user_name: byId("map-user").value.trim(), skip };
    try {
      const { now } = await post("/api/world", body);
      setClock(now);
      this.notify(skip ? `${done}. The clock jumped one hour.` : `${done}. The card comes with the target's next turn.`);
      return true;
    } catch (error) {
      this.notify(error.message, true);
      return false;
    }
  }

  renderSubmissions() {
    byId("submissions").replaceChildren(...this.world.submissions.map(submissionRow));
  }
}

function submissionRow(submission) {
  const [sign, label, kind] = KINDS[submission.type] ?? ["•", submission.type, "other"];
  return el(
    "li",
    { class: `submission ${kind}` },
    el("span", { class: "sign", title: label, "aria-label": label, role: "img", text: sign }),
    el(
      "span",
      {},
      el("span", { class: "submission-what", text: submission.machine_name ?? label }),
      submission.comment ? el("q", { class: "submission-comment", text: submission.comment }) : null,
      submission.score ? el("span", { class: "submission-comment", text: submission.score.toLocaleString("en") }) : null,
      el("span", { class: "detail" }, `${submission.location_name ?? "somewhere"} · `, timeElement(submission.created_at, "R", "when")),
    ),
  );
}
