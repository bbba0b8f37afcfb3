// The interface as a page, drawn from openapi.json: nothing is fetched from elsewhere.

import { byId, h } from "/storefront/dom.js";

const METHODS = ["get", "post", "put", "delete"];
const contract = await (await fetch("openapi.json")).json();

function resolve(schema) {
  return schema?.$ref ? contract.components.schemas[schema.$ref.split("/").pop()] : schema;
}

function typeName(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map(typeName).filter((name) => name !== "null").join(" or ");
  if (schema.type === "array") return `list of ${typeName(schema.items ?? schema.prefixItems?.[0])}`;
  const range = schema.minimum !== undefined ? ` ${schema.minimum} to ${schema.maximum}` : "";
  return `${schema.enum ? schema.enum.join(" | ") : schema.type ?? "any"}${range}`;
}

// Text in which `names` stand between backticks.
const marked = (text) => text.split("`").map((part, place) => (place % 2 ? h("code", {}, part) : part));

function fieldsOf(schema) {
  const known = resolve(schema);
  const rows = Object.entries(known?.properties ?? {});
  if (!rows.length) return null;
  return h("table", {}, rows.map(([name, part]) => h("tr", {}, h("td", {}, h("code", {}, name)), h("td", { class: "soft" }, typeName(part)))));
}

const shown = (value) => JSON.stringify(value, null, 2);

function operationBox(path, method, operation) {
  const inputs = new Map();
  const rows = (operation.parameters ?? []).map((parameter) => {
    const input = h("input", { "aria-label": parameter.name, placeholder: String(parameter.example ?? parameter.schema.default ?? "") });
    if (!parameter.name.endsWith("*")) inputs.set(parameter, input);
    return h("tr", {}, h("td", {}, h("code", {}, parameter.name), parameter.required ? " *" : ""),
      h("td", { class: "soft" }, typeName(parameter.schema), parameter.description ? [": ", ...marked(parameter.description)] : ""),
      h("td", {}, parameter.name.endsWith("*") ? "" : input));
  });
  const body = operation.requestBody ? h("textarea", { spellcheck: "false", "aria-label": "Body" }) : null;
  if (body) body.value = shown(operation.requestBody.content["application/json"].example);
  const output = h("pre", { hidden: true, tabindex: "0" });
  const status = h("span", { class: "soft", role: "status" });
  const run = h("button", { class: "plain", type: "button", onclick: () => send(path, method, inputs, body, output, status) }, "Send");
  const [code, answer] = Object.entries(operation.responses)[0];
  const fields = fieldsOf(answer.content["application/json"]?.schema);
  return h("details", { class: "operation", id: operation.operationId },
    h("summary", {}, h("span", { class: `method ${method}` }, method.toUpperCase()), h("span", { class: "path" }, path), h("span", { class: "soft" }, marked(operation.summary))),
    h("div", { class: "in" }, operation.description ? h("p", {}, marked(operation.description)) : null,
      rows.length ? [h("h3", {}, "Parameters"), h("table", {}, rows)] : null,
      body ? [h("h3", {}, "Body"), body] : null, h("div", { class: "run" }, run, status), output,
      fields ? [h("h3", {}, `Answer (${code})`), fields] : null,
      h("p", { class: "soft" }, `Refusals: ${Object.keys(operation.responses).slice(1).join(", ") || "none"}`)));
}

async function send(path, method, inputs, body, output, status) {
  const query = new URLSearchParams();
  let address = path;
  for (const [parameter, input] of inputs) {
    if (parameter.in === "path") address = address.replace(`{${parameter.name}}`, encodeURIComponent(input.value || parameter.example));
    else if (input.value) query.set(parameter.name, input.value);
  }
  const options = { method: method.toUpperCase() };
  if (body) Object.assign(options, { body: body.value, headers: { "Content-Type": "application/json" } });
  const start = performance.now();
  try {
    const response = await fetch(address + (query.size ? `?${query}` : ""), options);
    const text = await response.text();
    status.textContent = `${response.status} in ${Math.round(performance.now() - start)} ms`;
    output.textContent = (response.headers.get("content-type") ?? "").includes("json") ? JSON.stringify(JSON.parse(text), null, 2) : text;
  } catch (error) {
    status.textContent = "no answer";
    output.textContent = String(error);
  }
  output.hidden = false;
}

function draw() {
  byId("about").textContent = contract.info.description;
  const sections = new Map(contract.tags.map(({ name }) => [name, []]));
  for (const [path, methods] of Object.entries(contract.paths)) {
    for (const method of METHODS) if (methods[method]) sections.get(methods[method].tags[0]).push([path, method, methods[method]]);
  }
  for (const [name, operations] of sections) {
    byId("index").append(h("h2", {}, name), ...operations.map(([path, method, operation]) =>
      h("a", { class: "to", href: `#${operation.operationId}`, onclick: () => { byId(operation.operationId).open = true; } },
        h("span", { class: "soft" }, method.toUpperCase()), path)));
    byId("operations").append(h("h2", { class: "tag" }, name), ...operations.map((parts) => operationBox(...parts)));
  }
  byId("operations").setAttribute("aria-busy", "false");
  byId("filter").addEventListener("input", ({ currentTarget }) => {
    const words = currentTarget.value.toLowerCase();
    for (const box of document.querySelectorAll(".operation, nav a.to")) box.hidden = !box.textContent.toLowerCase().includes(words);
  });
}

draw();
