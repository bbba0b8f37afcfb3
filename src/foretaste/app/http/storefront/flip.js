// Cards glide from where they were to where they are (first, last, invert, play).

const calm = matchMedia("(prefers-reduced-motion: reduce)");
const GLIDE = { duration: 620, easing: "cubic-bezier(0.2, 0.8, 0.2, 1)" };

export function glide(container, keyOf, change) {
  if (calm.matches) {
    change();
    return;
  }
  const before = new Map([...container.children].map((child) => [keyOf(child), { child, box: child.getBoundingClientRect() }]));
  change();
  const frame = container.getBoundingClientRect();
  let entering = 0;
  for (const child of container.children) {
    const old = before.get(keyOf(child));
    before.delete(keyOf(child));
    const box = child.getBoundingClientRect();
    if (!old) enter(child, (entering += 1));
    else if (old.box.left !== box.left || old.box.top !== box.top) {
      const shift = `translate(${old.box.left - box.left}px, ${old.box.top - box.top}px)`;
      child.animate([{ transform: shift }, { transform: "none" }], GLIDE);
    }
  }
  for (const { child, box } of before.values()) if (keyOf(child)) leave(container, child, box, frame);
}

function enter(child, order) {
  const from = { opacity: 0, transform: "translateY(26px) scale(0.94)" };
  child.animate([from, { opacity: 1, transform: "none" }], { ...GLIDE, delay: 60 + Math.min(order, 12) * 35, fill: "backwards" });
}

function leave(container, child, box, frame) {
  const ghost = child.cloneNode(true);
  ghost.classList.add("leaving");
  ghost.setAttribute("aria-hidden", "true");
  ghost.inert = true;
  Object.assign(ghost.style, {
    position: "absolute", left: `${box.left - frame.left}px`, top: `${box.top - frame.top}px`, width: `${box.width}px`,
  });
  container.style.position = "relative";
  container.append(ghost);
  const to = { opacity: 0, transform: "scale(0.86)" };
  ghost.animate([{ opacity: 1 }, to], { duration: 320, easing: "ease-in", fill: "forwards" }).finished.then(() => ghost.remove());
}
