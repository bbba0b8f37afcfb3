// The service, as the storefront asks it. Errors carry the words of the problem document.

import { Foretaste } from "../foretaste.js";

const shop = new Foretaste({ consent: true });
const segment = encodeURIComponent;

export const choose = (user) => (shop.known = user);

export function recommend({ count, categories, variety, scenario, filter, boost }) {
  return shop.recommend({
    k: count,
    scenario,
    explain: true,
    explain_top_k: 4,
    diversity_lambda: (1 - variety).toFixed(2),
    filter: [...[...categories].map((category) => `category:${category}`), ...(filter ? [filter] : [])],
    boost: boost ? [boost] : [],
  });
}

export function send(event) {
  shop.track(event);
  return shop.flush();
}

export async function profile(user) {
  try {
    return await shop.ask(`users/${segment(user)}/profile?recent_limit=14&top_categories=6`);
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

export const scenarios = () => shop.ask("scenarios");
export const similar = (item, count) => shop.similar(item, { k: count });
export const search = (words, count) => shop.ask(`catalog/search?${new URLSearchParams({ q: words, limit: count })}`);
export const catalog = () => shop.ask("catalog?limit=24");
export const people = (count) => shop.ask(`users?order=recent&limit=${count}`);
