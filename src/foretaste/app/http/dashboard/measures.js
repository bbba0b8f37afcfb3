// Measures in Prometheus text format, and what they say of the time between two readings.

const LATENCY = "recommendation_latency_seconds";

export async function read() {
  const response = await fetch("/metrics");
  if (!response.ok) throw new Error(`${response.status}`);
  const sums = new Map();
  const buckets = new Map();
  for (const line of (await response.text()).split("\n")) {
    const found = /^(\w+)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!found) continue;
    const [, name, labels = "", value] = found;
    const [, bound] = /\ble="([^"]+)"/.exec(labels) ?? [];
    const [, type] = name === "attributed_events_total" ? /\btype="([^"]+)"/.exec(labels) ?? [] : [];
    if (name === `${LATENCY}_bucket`) add(buckets, bound === "+Inf" ? Infinity : Number(bound), Number(value));
    else add(sums, type ? `${name}:${type}` : name, Number(value));
  }
  return { time: performance.now() / 1000, sums, buckets };
}

// What became of the lists of the last hour and week, joined with what people did: also for clients whose
// events name no list. It is worked out anew for each question.
export async function readOnline() {
  const response = await fetch("/evaluation/metrics");
  if (!response.ok) throw new Error(`${response.status}`);
  const [hour, , week] = (await response.json()).online;
  return { hour: shares(hour.overall), week: shares(week.overall) };
}

function shares({ click_through: taken, conversion: bought }) {
  return { taken, bought };
}

// Shares are null where nothing was asked. Without `before`: since the service started.
export function between(before, now) {
  const grown = (name) => (now.sums.get(name) ?? 0) - (before?.sums.get(name) ?? 0);
  const answers = grown("recommendation_requests_total");
  const timed = grown(`${LATENCY}_count`);
  const share = (part, whole) => (whole > 0 ? part / whole : null);
  return {
    rate: before && now.time > before.time ? answers / (now.time - before.time) : null,
    mean: share(grown(`${LATENCY}_sum`), timed),
    p95: timed > 0 ? quantile(0.95, before, now) : null,
    hits: share(grown("recommendation_cache_hits_total"), answers),
    errors: share(grown("recommendation_errors_total"), answers),
    clicks: share(grown("attributed_events_total:click"), answers),
    conversions: share(grown("attributed_events_total:purchase"), answers),
  };
}

// As Prometheus does it: even within a bucket; what lies beyond the last bound is said to be at it.
function quantile(q, before, now) {
  const bounds = [...now.buckets.keys()].sort((one, other) => one - other);
  const counts = bounds.map((bound) => now.buckets.get(bound) - (before?.buckets.get(bound) ?? 0));
  const wanted = q * counts.at(-1);
  const at = counts.findIndex((count) => count >= wanted);
  if (bounds[at] === Infinity) return bounds[at - 1] ?? null;
  const [lower, under] = at > 0 ? [bounds[at - 1], counts[at - 1]] : [0, 0];
  return lower + (bounds[at] - lower) * ((wanted - under) / Math.max(1, counts[at] - under));
}

function add(into, key, value) {
  into.set(key, (into.get(key) ?? 0) + value);
}
