// The service, as the storefront asks it. Errors carry the words of the problem document.

export class ServiceError extends Error {}

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new ServiceError("The service does not answer. Is it running?");
  }
  const type = response.headers.get("content-type") ?? "";
  const content = type.includes("json") ? await response.json() : null;
  if (!response.ok) {
    const error = new ServiceError(content?.detail ?? `The service answered ${response.status}.`);
    error.status = response.status;
    throw error;
  }
  return content;
}

const segment = encodeURIComponent;

export function recommend(user, { count, categories, variety }) {
  const query = new URLSearchParams({
    k: count,
    explain: "true",
    explain_top_k: 4,
    diversity_lambda: (1 - variety).toFixed(2),
  });
  for (const category of categories) query.append("filter", `category:${category}`);
  return ask(`recommend/${segment(user)}?${query}`);
}

export function send(event) {
  return ask("events", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ event_id: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`, ...event }),
  });
}

export async function profile(user) {
  try {
    return await ask(`users/${segment(user)}/profile?recent_limit=14&top_categories=6`);
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

export const similar = (item, count) => ask(`items/${segment(item)}/similar?k=${count}`);
export const search = (words, count) => ask(`catalog/search?${new URLSearchParams({ q: words, limit: count })}`);
export const catalog = () => ask("catalog?limit=24");
export const people = (count) => ask(`users?limit=${count}`);
