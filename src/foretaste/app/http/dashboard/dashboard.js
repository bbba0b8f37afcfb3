// The monitoring page: reads /metrics again and again, and draws what changed in between.

import { byId, h, s } from "/storefront/dom.js";
import { between, read, readOnline } from "./measures.js";

const SECONDS = Math.max(0.2, Number(new URLSearchParams(location.search).get("seconds")) || 5);
const POINTS = 120;
const ONLINE_SECONDS = 30;

const percent = (value) => `${(100 * value).toFixed(1)} %`;
const milliseconds = (value) => `${(1000 * value).toFixed(1)} ms`;
const MEASURES = [
  { key: "rate", title: "Answers a second", write: (value) => value.toFixed(1) },
  { key: "mean", title: "Mean time of an answer", write: milliseconds },
  { key: "p95", title: "95 % are answered within", write: milliseconds },
  { key: "hits", title: "Answers from the cache", write: percent },
  { key: "errors", title: "Answers with an error", write: percent },
  { key: "clicks", title: "Clicks for each list", write: percent },
  { key: "conversions", title: "Purchases for each list", write: percent },
  { key: "taken", title: "Lists that something was taken from, of the last hour", write: percent, all: "of the last week" },
  { key: "bought", title: "Lists that something was bought from, of the last hour", write: percent, all: "of the last week" },
];

const start = await read();
let before = start;
let online = { time: -Infinity };
const boxes = MEASURES.map((measure) => box(measure));
byId("measures").replaceChildren(...boxes.map(({ element }) => element));
byId("measures").setAttribute("aria-busy", "false");
refresh();

async function refresh() {
  try {
    const now = await read();
    if (now.time - online.time >= ONLINE_SECONDS) {
      online = { ...online, time: now.time, ...await readOnline().catch(() => null) };
    }
    const lately = { ...between(before, now), ...online.hour };
    const all = { ...between(null, now), ...online.week };
    boxes.forEach((one) => one.show(lately, all));
    before = now;
    byId("state").textContent = `As of ${new Date().toLocaleTimeString()}, refreshed every ${SECONDS} s.`;
  } catch {
    byId("state").textContent = "The service does not answer; it is asked again.";
  }
  setTimeout(refresh, 1000 * SECONDS);
}

function box({ key, title, write, all: whole = "since the start" }) {
  const values = [];
  const number = h("output", {}, "–");
  const curve = s("path", { d: "" });
  const [low, total] = [h("span"), h("span")];
  const element = h("figure", { id: key }, h("figcaption", {}, title), number,
    s("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" }, curve), h("p", {}, low, total));
  const show = (lately, all) => {
    values.push(lately[key]);
    if (values.length > POINTS) values.shift();
    const known = values.filter((value) => value !== null);
    const most = Math.max(...known, Number.EPSILON);
    number.textContent = lately[key] === null ? "–" : write(lately[key]);
    curve.setAttribute("d", path(values, most));
    low.textContent = known.length ? `at most ${write(Math.max(...known))}` : "nothing was asked";
    total.textContent = all[key] === null ? "" : `${whole} ${write(all[key])}`;
  };
  return { element, show };
}

// A line from the left to the right; where nothing was measured it is broken.
function path(values, most) {
  let pen = "M";
  return values.map((value, at) => {
    if (value === null) {
      pen = "M";
      return "";
    }
    const point = `${pen}${((100 * at) / Math.max(1, values.length - 1)).toFixed(2)} ${(100 - (100 * value) / most).toFixed(2)}`;
    const dot = pen === "M" ? "h0" : "";
    pen = "L";
    return point + dot;
  }).join("");
}
