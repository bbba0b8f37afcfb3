// What the page says.

const SOURCES = {
  personalized: "For you, as of this moment",
  trending: "Popular right now",
  session: "From this visit",
  similar: "More like it",
  stale: "From a moment ago",
};

const SCENARIOS = {
  home: "for you",
  "because-you-watched": "because of your latest",
  "next-in-session": "next in this visit",
  discover: "something else",
  new: "new",
  trending: "what is trending",
  popular: "all-time favourites",
};

const PROPOSERS = [
  [/^(i?als|nmf|ncf|latent)/, "people of your taste"],
  [/^(ease|item_item|neighbourhood|graph|symmetric)/, "goes with what you chose"],
  [/^(transitions|self_attention)/, "what comes next"],
  [/^together/, "often together"],
  [/^session/, "visits like yours"],
  [/^(content|vectors)/, "alike in kind"],
  [/^cold_items/, "new and alike in kind"],
  [/^popularity/, "popular"],
  [/^rising/, "on the rise"],
  [/^repetition/, "you had it before"],
  [/^context/, "liked at such moments"],
];

const VERBS = {
  rating: (title, value) => [`you rated `, title, value ? ` ${plural(value, "star")}` : ""],
  watch: (title) => ["you watched ", title, ""],
  purchase: (title) => ["you bought ", title, ""],
  dismiss: (title) => ["you passed on ", title, ""],
  click: (title) => ["you looked at ", title, ""],
};

const PAST = { watch: "watched", purchase: "bought", dismiss: "passed on", click: "looked at", view: "seen", like: "liked" };

export const plural = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
export const percent = (share) => `${Math.round(100 * share)}%`;
export const sourceWords = (source) => SOURCES[source] ?? source.replaceAll("_", " ");

export const scenarioWords = (name) => SCENARIOS[name] ?? name.replaceAll("-", " ");

export function causeOf(event, title) {
  const [before, name, after] = (VERBS[event.type] ?? ((it) => [`of ${event.type} on `, it, ""]))(title, event.value);
  return { before, title: name, after };
}

export function pastWords(event) {
  if (event.type === "rating" && event.value) return "★".repeat(Math.max(1, Math.min(5, Math.round(event.value))));
  return PAST[event.type] ?? event.type.replaceAll("_", " ");
}

export function proposedBy(sources) {
  const words = sources.map((source) => PROPOSERS.find(([pattern]) => pattern.test(source))?.[1] ?? source.replaceAll("_", " "));
  return [...new Set(words)];
}

export function about(item) {
  const year = item.metadata?.year;
  const price = item.metadata?.price;
  const first = year ? String(Math.round(year)) : price ? String(price) : null;
  return [first, item.categories.slice(0, 2).join(", ")].filter(Boolean).join(" · ");
}

export function personName(id) {
  const guest = /^guest-([a-z]+)-([a-z]+)-\d+$/.exec(id);
  if (guest) return `${capital(guest[1])} ${capital(guest[2])}`;
  return /^\d+$/.test(id) ? `Person ${id}` : id;
}

export function initials(id) {
  const name = personName(id);
  const words = name.split(/[\s_.@-]+/).filter(Boolean);
  if (/^\d+$/.test(id)) return id.slice(0, 3);
  return (firstCharacter(words[0] ?? "?") + firstCharacter(words[1] ?? "")).toUpperCase();
}

// The first character, also where it takes two units of UTF-16, as an emoji does.
const firstCharacter = (word) => [...word][0] ?? "";
const capital = (word) => word[0].toUpperCase() + word.slice(1);
