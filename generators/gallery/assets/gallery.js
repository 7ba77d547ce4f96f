"use strict";
// Everything is put on the page as text, never as markup: names and answers come from other people's files.

const data = window.gallery;
const CHUNK = 12;
const titles = { ...data.scenarios, ...data.topics };
const find = (id) => document.getElementById(id);
const controls = ["who", "scenario", "role", "kind"].map(find);
const state = { people: [], shown: 0, photos: [], place: 0 };

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;
const searchable = new Map(data.people.map((person) => [person,
  [person.id, person.name, ...Object.values(person.facts), ...Object.entries(person.appearance).flat()].join(" \n ").toLowerCase()]));

// Which photos and questions the filters leave over.

function wanted() {
  const [who, scenario, role, kind] = controls.map((control) => control.value);
  return { who: who.trim().toLowerCase(), scenario, role, kind };
}

function questionsOf(photo, filter) {
  return photo.asked.filter(([asked, kind]) =>
    (!filter.scenario || data.asked[asked].scenario === filter.scenario) && (!filter.kind || kind === filter.kind));
}

function photoFits(photo, filter) {
  const trained = photo.trained && (!filter.kind || filter.kind === "training") && (!filter.scenario || photo.scenario === filter.scenario);
  const asked = (filter.kind || !photo.trained) && (questionsOf(photo, filter).length > 0);
  return trained || asked;
}

function select(filter) {
  const people = [];
  for (const person of data.people) {
    if (filter.role && person.role !== filter.role) continue;
    if (filter.who && !searchable.get(person).includes(filter.who)) continue;
    const photos = person.photos.filter((photo) => photoFits(photo, filter));
    if (photos.length || !(filter.scenario || filter.kind)) people.push({ person, photos });
  }
  return people;
}

// One person.

function pairs(entries, name) {
  return make("dl", { class: name }, ...Object.entries(entries).map(([key, value]) =>
    make("div", {}, make("dt", {}, titles[key] ?? key), make("dd", {}, value))));
}

function tile(photo, person) {
  if (photo.file === null) return make("span", { class: "withheld" }, "photo withheld");
  const alt = photo.description || `New photo of ${person.name}`;
  return make("img", { src: photo.file, alt, loading: "lazy", decoding: "async" });
}

function figure(photo, entry, filter) {
  const title = photo.trained ? titles[photo.scenario] : "New photo";
  const count = questionsOf(photo, filter).length;
  const open = () => showPhoto(entry, entry.photos.indexOf(photo));
  return make("figure", {},
    make("button", { type: "button", click: open, "aria-label": `${entry.person.name}, ${title}: details` }, tile(photo, entry.person)),
    make("figcaption", {}, make("strong", {}, title), photo.description ? ` ${photo.description}` : null,
      count ? make("span", { class: "count" }, plural(count, "question", "questions")) : null));
}

function choices(asked) {
  if (!asked.options.length) {
    const accepted = [asked.answer, ...asked.aliases].join(" or ");
    return make("p", { class: "open" }, make("span", { class: "right" }, "✓ ", accepted), " in the model's own words");
  }
  return make("ul", { class: "options" }, ...asked.options.map((option) => option === asked.answer
    ? make("li", { class: "right" }, make("span", { "aria-hidden": true }, "✓ "), option, make("span", { class: "unseen" }, " (right)"))
    : make("li", {}, option)));
}

function questionTable(photos, filter) {
  const lines = new Map();
  for (const photo of photos) {
    for (const [asked, kind] of questionsOf(photo, filter)) {
      const kinds = lines.get(asked) ?? new Map();
      lines.set(asked, kinds.set(kind, (kinds.get(kind) ?? 0) + 1));
    }
  }
  if (!lines.size) return null;
  const rows = Array.from(lines, ([place, kinds]) => {
    const asked = data.asked[place];
    const on = Array.from(kinds, ([kind, count]) => make("span", {}, `${kind.replace("_", " ")} × ${count}`));
    return make("tr", {}, make("th", { scope: "row" }, titles[asked.scenario] ?? asked.scenario),
      make("td", {}, asked.question, choices(asked)), make("td", { class: "asked-on" }, ...on));
  });
  const head = make("thead", {}, make("tr", {}, ...["About", "Question and choices", "Asked on photos"].map((text) => make("th", { scope: "col" }, text))));
  const total = Array.from(lines.values(), (kinds) => Array.from(kinds.values())).flat().reduce((sum, count) => sum + count, 0);
  const summary = make("summary", {}, `${plural(total, "question", "questions")}, ${lines.size} different`);
  return make("details", { open: find("questions").checked }, summary, make("table", {}, head, make("tbody", {}, ...rows)));
}

function group(title, photos, entry, filter) {
  if (!photos.length) return null;
  return make("div", {}, make("h3", {}, title), make("div", { class: "grid" }, ...photos.map((photo) => figure(photo, entry, filter))));
}

function card(entry, filter) {
  const { person, photos } = entry;
  const stranger = person.role === "stranger";
  const appearance = Object.keys(person.appearance).length
    ? pairs(person.appearance, "appearance") : make("p", { class: "aside" }, "Appearance not stated");
  const about = make("div", { class: "about" }, make("h2", {}, person.name),
    make("p", { class: "aside" }, make("code", {}, person.id), " ",
      make("span", { class: stranger ? "badge stranger" : "badge" }, stranger ? "stranger" : "trained on")),
    pairs(person.facts, "person-facts"), appearance);
  const content = make("div", { class: "content" },
    group("Trained on", photos.filter((photo) => photo.trained), entry, filter),
    group("New photos, only asked about", photos.filter((photo) => !photo.trained), entry, filter),
    questionTable(photos, filter));
  return make("article", { class: "person", "aria-label": person.name }, about, content);
}

// The list grows while it is scrolled.

function showMore() {
  const filter = wanted();
  const next = state.people.slice(state.shown, state.shown + CHUNK);
  find("people").append(...next.map((entry) => card(entry, filter)));
  state.shown += next.length;
  find("more").hidden = state.shown >= state.people.length;
}

function refresh() {
  const filter = wanted();
  state.people = select(filter);
  state.shown = 0;
  find("people").replaceChildren();
  const photos = state.people.reduce((sum, entry) => sum + entry.photos.length, 0);
  find("found").textContent = state.people.length
    ? `${plural(state.people.length, "person", "people")}, ${plural(photos, "photo", "photos")}` : "Nobody fits.";
  showMore();
}

function remember() {
  const given = controls.filter((control) => control.value).map((control) => [control.id, control.value]);
  const hash = new URLSearchParams(given).toString();
  history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
}

function recall() {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const control of controls) {
    control.value = given.get(control.id) ?? "";
    if (control.selectedIndex === -1) control.selectedIndex = 0;
  }
}

// One photo with everything about it.

function showPhoto(entry, place) {
  state.entry = entry;
  state.place = (place + entry.photos.length) % entry.photos.length;
  const photo = entry.photos[state.place];
  find("photo-title").textContent = `${entry.person.name}: ${photo.trained ? titles[photo.scenario] : "new photo"}`;
  find("photo-body").replaceChildren(photoFacts(photo, entry.person), photoQuestions(photo));
  if (!find("photo").open) find("photo").showModal();
  find("photo").scrollTop = 0;
}

function photoFacts(photo, person) {
  const shows = photo.shows === null ? "not stated" : photo.shows.join(", ") || "nothing but the person";
  const entries = { ...(photo.trained ? { description: photo.description } : {}), shows, ...data.origins[photo.origin], id: photo.id };
  const labels = { generator: "made by", id: photo.trained ? "pair" : "first probe" };
  return make("div", { class: "photo-facts" }, tile(photo, person), pairs(
    Object.fromEntries(Object.entries(entries).map(([key, value]) => [labels[key] ?? key, value || "not stated"])), "origin"));
}

function photoQuestions(photo) {
  const items = photo.asked.map(([place, kind]) => {
    const asked = data.asked[place];
    const other = asked.paraphrases.length ? make("p", { class: "aside" }, "Also: ", asked.paraphrases.join(" · ")) : null;
    return make("li", {}, make("p", {}, make("strong", {}, titles[asked.scenario] ?? asked.scenario), " ", asked.question,
      make("span", { class: "count" }, kind.replace("_", " "))), choices(asked), other);
  });
  if (!items.length) return make("p", { class: "aside" }, "Nothing is asked about this photo.");
  return make("ol", { class: "photo-questions" }, ...items);
}

const step = (by) => showPhoto(state.entry, state.place + by);

find("filters").addEventListener("input", () => { remember(); refresh(); });
find("filters").addEventListener("submit", (event) => event.preventDefault());
find("filters").addEventListener("reset", () => setTimeout(() => { remember(); refresh(); }));
find("more").addEventListener("click", showMore);
find("previous").addEventListener("click", () => step(-1));
find("next").addEventListener("click", () => step(1));
find("close").addEventListener("click", () => find("photo").close());
find("photo").addEventListener("click", (event) => { if (event.target === find("photo")) find("photo").close(); });
find("photo").addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft") step(-1);
  if (event.key === "ArrowRight") step(1);
});
window.addEventListener("hashchange", () => { recall(); refresh(); });
new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) showMore(); }, { rootMargin: "800px" }).observe(find("more"));
recall();
refresh();
