// Foretaste in a page: what people do goes to the service, what to show comes back. How to: docs/how-to/browser.md

/**
 * @typedef {{type: string, item_id: string, value?: number, recommendation_id?: string}} Event
 * @typedef {{recommendation_id: string, source: string, items: {item_id: string}[]}} List
 */

const OURS = "foretaste:";
const MOST_WAITING = 500;
const MOST_SHOWN = 300;
const BATCH = 100;
// In characters: a request that outlives its page may have 64 KiB.
const LARGEST = 21_000;
const SESSION_MS = 30 * 60_000;
const FRESH_MS = 10_000;
const LONGEST_PAUSE_MS = 60_000;

/** What the service refused, in its words; `status` is 0 where it did not answer. */
export class ForetasteError extends Error {
  constructor(message, status, errors) {
    super(message);
    Object.assign(this, { status, errors });
  }
}

export class Foretaste {
  #cells = storage();
  #beaconed = new Set();
  #pause = 0;
  #tracked = 0;
  #timer;
  #flushing;
  #consent;

  /**
   * @param {{url?: string, user?: string | null, consent?: boolean, delay?: number}} [options] `url`: the service,
   * by default where this module came from; `user`: who it is, if known; `delay`: how long events gather (ms).
   */
  constructor({ url = new URL(".", import.meta.url).href, user, consent = false, delay = 1000 } = {}) {
    Object.assign(this, { url: url.replace(/\/?$/, "/"), known: user, delay });
    this.consent = consent;
    addEventListener("pagehide", () => this.#beacon());
    document.addEventListener("visibilitychange", () => document.hidden && this.#beacon());
    addEventListener("online", () => this.#soon(0));
  }

  get consent() {
    return this.#consent;
  }

  /** Without consent nothing is tracked or stored; to take it back removes what was. */
  set consent(given) {
    this.#consent = given;
    if (given) this.#soon(this.delay);
    else this.#names("").forEach((name) => this.#set(name));
  }

  /** The known user, else an id of this browser, null without consent. @returns {string | null} */
  get user() {
    const known = `${this.known ?? ""}`;
    if (known || !this.#consent) return known || null;
    return this.#get("user") ?? this.#set("user", `anonymous-${newId()}`);
  }

  /** Keeps an event until the service confirmed it. @param {Event} event @returns {string | null} its id */
  track(event) {
    if (!this.#consent) return null;
    const time = Date.now();
    const [session, last] = this.#get("session") ?? [];
    const session_id = time - last < SESSION_MS ? session : newId();
    this.#set("session", [session_id, time]);
    const recommendation_id = new Map(this.#get("shown")).get(`${event.item_id}`);
    const whole = { event_id: newId(), user_id: this.user, session_id, recommendation_id, ...event };
    // The fraction keeps the order within a millisecond.
    const timestamp = time + (this.#tracked++ % 1000) / 1000;
    this.#set(`event.${whole.event_id}`, { timestamp, ...whole });
    this.#waiting().slice(0, -MOST_WAITING).forEach((old) => this.#set(`event.${old.event_id}`));
    this.#soon(this.delay);
    return whole.event_id;
  }

  /** Sends what waits. @returns {Promise<void>} rejected with a ForetasteError; events are kept then */
  flush() {
    this.#flushing ??= this.#send().finally(() => (this.#flushing = null));
    return this.#flushing;
  }

  /** What to show, knowing all that was tracked. @param {object} [parameters] of `GET /recommend` @returns {Promise<List>} */
  async recommend(parameters) {
    await this.flush().catch(() => this.#later());
    return this.#list(this.user ? `recommend/${encodeURIComponent(this.user)}` : "recommend", parameters);
  }

  /** What is like an item. @param {string} item @param {object} [parameters] @returns {Promise<List>} */
  similar(item, parameters) {
    return this.#list(`items/${encodeURIComponent(item)}/similar`, parameters);
  }

  /** Lets later events on a list's items name it; lists got here are known. @param {List} list */
  shown({ recommendation_id: id, items }) {
    const all = new Map(this.#get("shown"));
    for (const { item_id: item } of items) {
      all.delete(item);
      all.set(item, id);
    }
    if (this.#consent) this.#set("shown", [...all].slice(-MOST_SHOWN));
  }

  async #list(path, parameters = {}) {
    const all = Object.entries(parameters).flatMap(([name, value]) => [value].flat().map((one) => [name, one]));
    const list = await this.ask(`${path}?${new URLSearchParams(all.filter(([, one]) => one != null))}`);
    this.shown(list);
    return list;
  }

  async #send() {
    let most = BATCH;
    for (let batch; (batch = this.#waiting().slice(0, most)).length; this.#pause = 0) {
      const body = asSent(batch);
      const keepalive = body.length < LARGEST;
      const { events } = await this.ask("events", { method: "POST", body, keepalive }).catch((error) => {
        if (![400, 413].includes(error.status)) throw error;
        return { events: error.errors ?? (batch[1] ? null : []) };
      });
      // What is refused without a word on each event is parted, until it is clear which one is meant.
      most = events ? BATCH : batch.length >> 1;
      if (events) batch.forEach((event, place) => {
        // Not every clock is right: an event whose time is refused goes again without.
        const late = events[place]?.field === "timestamp" && event.timestamp;
        this.#set(`event.${event.event_id}`, late ? { ...event, timestamp: 0 } : undefined);
      });
    }
  }

  /** Anything else of the service. @param {string} path @param {RequestInit} [options] @returns {Promise<any>} */
  async ask(path, options) {
    const response = await fetch(this.url + path, { credentials: "omit", ...options }).catch(() => null);
    const said = await response?.json().catch(() => null);
    if (response?.ok && said) return said;
    const silent = "The service does not answer. Is it running?";
    const detail = said?.detail ?? (response ? `The service answered ${response.status}.` : silent);
    throw new ForetasteError(detail, response?.status ?? 0, said?.errors);
  }

  // The page goes away, perhaps for good. What is sent here stays stored until a request confirms it.
  #beacon() {
    let room = LARGEST;
    const batch = this.#waiting().filter((event) => !this.#beaconed.has(event.event_id)
      && (room -= JSON.stringify(event).length + 1) > 0);
    if (batch.length && navigator.sendBeacon(`${this.url}events`, asSent(batch))) {
      batch.forEach((event) => this.#beaconed.add(event.event_id));
    }
  }

  #soon(milliseconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush().catch(() => this.#later()), milliseconds);
  }

  #later() {
    this.#pause = Math.min(LONGEST_PAUSE_MS, Math.max(1000, 2 * this.#pause));
    this.#soon(this.#pause * (0.5 + Math.random()));
  }

  #waiting() {
    const events = this.#names("event.").map((name) => this.#get(name)).filter(Boolean);
    return events.sort((one, other) => one.timestamp - other.timestamp);
  }

  // A cell for each event, so that tabs that share the storage never write over each other.
  #names(start) {
    return Object.keys(this.#cells).filter((key) => key.startsWith(OURS + start)).map((key) => key.slice(OURS.length));
  }

  #get(name) {
    return JSON.parse(this.#cells[OURS + name] ?? "null");
  }

  #set(name, value) {
    const key = OURS + name;
    const text = JSON.stringify(value);
    try {
      if (text) this.#cells[key] = text;
      else [this.#cells, storage()].forEach((cells) => delete cells[key]);
    } catch {
      // Full: from here on in memory.
      this.#cells = { ...this.#cells, [key]: text };
    }
    return value;
  }
}

function storage() {
  try {
    return localStorage ?? {};
  } catch {
    // Forbidden: what waits lasts as long as the page.
    return {};
  }
}

/** JSON as text, which browsers send to other origins without asking first. Fresh events get the service's time. */
function asSent(events) {
  const old = ({ timestamp }) => timestamp && Date.now() - timestamp > FRESH_MS;
  const sent = events.map((event) => (old(event) ? event : { ...event, timestamp: undefined }));
  // Half of a character, as where a text was cut, is nothing that the service can read.
  return JSON.stringify(sent, (_, one) => one?.toWellFormed?.() ?? one);
}

function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
