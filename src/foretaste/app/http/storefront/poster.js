// A poster for whatever has none: colours from the kind, a composition from the title, always the same.

import { s } from "./dom.js";

const PALETTES = [
  ["#2b0a12", "#7d1a26", "#e4572e", "#ffb98a"],
  ["#0b1730", "#1e3f7a", "#4a86d4", "#f6cf87"],
  ["#0c2620", "#1c5a46", "#5fae78", "#f4e8b4"],
  ["#220e36", "#582a7c", "#b9568f", "#ffc7a8"],
  ["#35190b", "#8c461f", "#de9040", "#f9dfae"],
  ["#05262c", "#0e5a60", "#35ada6", "#f5d76a"],
  ["#370d27", "#93285a", "#ea7390", "#ffdccd"],
  ["#121319", "#343948", "#8790aa", "#ece7da"],
  ["#20230d", "#5a6325", "#adb84f", "#f4efc6"],
  ["#120936", "#3a219c", "#8465f2", "#ffd673"],
];

export function hash(text) {
  let value = 2166136261;
  for (const character of text) value = Math.imul(value ^ character.codePointAt(0), 16777619);
  value ^= value >>> 15;
  return Math.imul(value, 2246822507) >>> 0;
}

export function palette(title, categories) {
  const kind = hash(categories[0] ?? title);
  return PALETTES[(kind + (hash(title) % 3) * 3) % PALETTES.length];
}

function randomness(seed) {
  let value = seed || 1;
  return () => {
    value ^= value << 13;
    value ^= value >>> 17;
    value ^= value << 5;
    return (value >>> 0) / 4294967296;
  };
}

const circle = (cx, cy, r, fill, more = {}) => s("circle", { cx, cy, r, fill, ...more });
const path = (d, fill, more = {}) => s("path", { d, fill, ...more });

const MOTIFS = [
  function sun(random, [, , warm, light]) {
    const x = 50 + random() * 100;
    const y = 80 + random() * 50;
    const r = 40 + random() * 26;
    const lines = Array.from({ length: 7 }, (_, row) =>
      s("rect", { x: 0, y: y + r * 0.15 + row * 11, width: 200, height: 2 + row * 1.1, fill: warm, opacity: 0.55 }));
    return [circle(x, y, r * 1.5, light, { opacity: 0.14 }), circle(x, y, r, light), ...lines];
  },
  function rings(random, [, , warm, light]) {
    const x = random() * 200;
    const y = 60 + random() * 90;
    return Array.from({ length: 7 }, (_, ring) =>
      circle(x, y, 16 + ring * 22, "none", {
        stroke: ring % 2 ? warm : light, "stroke-width": 9 - ring, opacity: 0.95 - ring * 0.11,
      }));
  },
  function waves(random, [dark, deep, warm, light]) {
    const fills = [light, warm, deep, dark];
    const phase = random() * 6;
    return fills.map((fill, row) => {
      const y = 70 + row * 42;
      const points = Array.from({ length: 11 }, (_, at) =>
        `${at * 20} ${(y + Math.sin(at * 0.75 + phase + row * 1.3) * (18 - row * 2)).toFixed(1)}`);
      return path(`M0 300V${points[0].split(" ")[1]}L${points.join("L")}V300Z`, fill, { opacity: 0.92 });
    });
  },
  function peaks(random, [dark, deep, warm, light]) {
    const sky = circle(40 + random() * 120, 62 + random() * 20, 20 + random() * 14, light);
    return [sky, ...[warm, deep, dark].map((fill, row) => {
      const y = 120 + row * 48;
      const tops = Array.from({ length: 5 }, (_, at) => `${at * 50} ${y + (at % 2 ? -1 : 1) * (14 + random() * 34)}`);
      return path(`M-10 300L-10 ${y + 20}L${tops.join("L")}L210 300Z`, fill);
    })];
  },
  function dots(random, [, , warm, light]) {
    const x = random() * 200;
    const y = 40 + random() * 120;
    const shapes = [];
    for (let row = 0; row < 15; row += 1) {
      for (let column = 0; column < 10; column += 1) {
        const [cx, cy] = [10 + column * 20, 10 + row * 20];
        const near = 1 - Math.min(1, Math.hypot(cx - x, cy - y) / 190);
        if (near > 0.06) shapes.push(circle(cx, cy, near * near * 11, near > 0.6 ? light : warm));
      }
    }
    return shapes;
  },
  function tiles(random, [dark, deep, warm, light]) {
    const shapes = [];
    for (let row = 0; row < 6; row += 1) {
      for (let column = 0; column < 4; column += 1) {
        const fill = [light, warm, deep, dark][Math.floor(random() * 4)];
        const [x, y, turn] = [column * 50, row * 50, Math.floor(random() * 4) * 90];
        shapes.push(path("M0 0H50A50 50 0 0 1 0 50Z", fill, {
          transform: `translate(${x} ${y}) rotate(${turn} 25 25)`, opacity: 0.94,
        }));
      }
    }
    return shapes;
  },
  function skyline(random, [dark, deep, warm, light]) {
    const moon = circle(50 + random() * 100, 70, 26, light);
    const rows = [[warm, 0.75, 110], [deep, 0.95, 150], [dark, 1, 195]];
    return [moon, ...rows.flatMap(([fill, opacity, base]) => Array.from({ length: 9 }, (_, at) => {
      const y = base + random() * 70 - 35;
      return s("rect", { x: at * 24 - 6, y, width: 25, height: 300 - y, fill, opacity });
    }))];
  },
  function orbit(random, [, deep, warm, light]) {
    const tilt = -40 + random() * 80;
    const shapes = Array.from({ length: 4 }, (_, ring) =>
      s("ellipse", {
        cx: 100, cy: 120, rx: 52 + ring * 28, ry: 18 + ring * 13, fill: "none",
        stroke: ring % 2 ? warm : light, "stroke-width": 2.5, opacity: 0.85 - ring * 0.15,
        transform: `rotate(${tilt} 100 120)`,
      }));
    return [circle(100, 120, 36, warm), circle(90, 110, 36, deep, { opacity: 0.5 }), ...shapes,
      circle(100 + Math.cos(tilt) * 82, 120 + Math.sin(tilt) * 46, 9, light)];
  },
  function rays(random, [, , warm, light]) {
    const x = 30 + random() * 140;
    return [...Array.from({ length: 9 }, (_, ray) => {
      const from = (ray / 9) * Math.PI + random() * 0.14;
      const to = from + 0.2;
      const point = (angle) => `${(x + Math.cos(angle) * 380).toFixed(1)} ${(250 - Math.sin(angle) * 380).toFixed(1)}`;
      return path(`M${x} 250L${point(from)}L${point(to)}Z`, ray % 2 ? warm : light, { opacity: 0.72 });
    }), circle(x, 250, 46, light)];
  },
  function petals(random, [, deep, warm, light]) {
    const turn = random() * 60;
    const shapes = Array.from({ length: 6 }, (_, at) =>
      s("ellipse", {
        cx: 100, cy: 78, rx: 26, ry: 56, fill: at % 2 ? warm : light, opacity: 0.72,
        transform: `rotate(${turn + at * 60} 100 128)`,
      }));
    return [...shapes, circle(100, 128, 20, deep)];
  },
];

let drawn = 0;

export function art(title, categories) {
  const seed = hash(title || "untitled");
  const random = randomness(seed);
  const [dark, deep, warm, light] = palette(title, categories);
  const bright = (seed >>> 8) % 5 < 2;
  const colours = bright ? [dark, warm, deep, light] : [dark, deep, warm, light];
  const id = `ground-${(drawn += 1)}`;
  const ground = s("linearGradient", { id, x1: 0, y1: 0, x2: 0.35, y2: 1 },
    s("stop", { offset: 0, "stop-color": bright ? warm : deep }), s("stop", { offset: 1, "stop-color": bright ? deep : dark }));
  const motif = MOTIFS[seed % MOTIFS.length];
  return s("svg", { class: "art", viewBox: "0 0 200 300", preserveAspectRatio: "xMidYMid slice", "aria-hidden": "true" },
    s("defs", {}, ground), s("rect", { width: 200, height: 300, fill: `url(#${id})` }), motif(random, colours));
}

export function avatarColours(id) {
  const colours = PALETTES[hash(id) % PALETTES.length];
  return `linear-gradient(135deg, ${colours[2]}, ${colours[1]})`;
}
