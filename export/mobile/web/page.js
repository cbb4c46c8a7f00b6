import { Sampler } from "./sampler.js";
import { verified } from "./verified.js";

const byId = (id) => document.getElementById(id);
const state = { sampler: null, z: null, x: null, chosen: 0 };
window.state = state; // for the console

function say(text, isError = false) {
  byId("status").textContent = text;
  byId("status").className = isError ? "error" : "";
}

// Events may overtake each other: the model runs one at a time, in their order.
let queue = Promise.resolve();
function enqueue(work) {
  queue = queue.then(work).catch((error) => say(String(error.message ?? error), true));
  return queue;
}

function draw(canvas, index) {
  const { height, width, channels } = state.sampler;
  const pixels = new ImageData(width, height);
  const start = index * height * width * channels;
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) {
      const value = state.x[start + i * channels + (channels >= 3 ? c : 0)];
      pixels.data[4 * i + c] = Math.round(255 * value);
    }
    pixels.data[4 * i + 3] = 255;
  }
  [canvas.width, canvas.height] = [width, height];
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

function drawAll() {
  for (const [index, button] of [...byId("grid").children].entries()) {
    draw(button.firstChild, index);
    button.setAttribute("aria-pressed", String(index === state.chosen));
  }
  draw(byId("large"), state.chosen);
}

function showCode() {
  const { latentSize } = state.sampler;
  for (const [d, row] of [...byId("sliders").children].entries()) {
    const value = state.z[state.chosen * latentSize + d];
    row.querySelector("input").value = value;
    row.querySelector("output").textContent = value.toFixed(2);
  }
}

function choose(index) {
  state.chosen = index;
  drawAll();
  showCode();
}

async function sample(draws, name) {
  const start = performance.now();
  Object.assign(state, await draws());
  choose(state.chosen);
  say(`${name}: ${state.sampler.count} images in ${(performance.now() - start).toFixed(1)} ms`);
}

async function move(d, value) {
  state.z[state.chosen * state.sampler.latentSize + d] = value;
  state.x = await state.sampler.decode(state.z);
  drawAll();
  showCode();
}

function seeded() {
  const text = byId("seed").value;
  const seed = text.trim() === "" ? NaN : Number(text);
  return enqueue(() => sample(() => state.sampler.sampleSeeded(seed), `Seed ${seed}`));
}

function build() {
  for (let index = 0; index < state.sampler.count; index++) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", `Sample ${index + 1}`);
    button.append(document.createElement("canvas"));
    button.addEventListener("click", () => enqueue(() => choose(index)));
    byId("grid").append(button);
  }
  for (let d = 0; d < state.sampler.latentSize; d++) {
    const row = document.createElement("div");
    row.className = "slider";
    row.innerHTML = `<label for="z${d}">z<sub>${d}</sub></label>
      <input id="z${d}" type="range" min="-4" max="4" step="any" /><output for="z${d}"></output>`;
    const input = row.querySelector("input");
    input.addEventListener("input", () => enqueue(() => move(d, Number(input.value))));
    byId("sliders").append(row);
  }
}

function showSet({ name, version, file, hash }) {
  byId("set").textContent = `${name}, version ${version}: ${file}, SHA-256 ${hash}`;
}

async function start() {
  const model = new URLSearchParams(location.search).get("model") ?? "decoder_browser.tflite";
  const { bytes, set } = await verified(model);
  // Absolute, because the runtime takes the folder relative to its own module.
  const wasm = new URL("node_modules/@litertjs/core/wasm/", document.baseURI).href;
  state.sampler = await Sampler.load(wasm, bytes);
  showSet(set);
  build();
  byId("controls").noValidate = true; // the message in the page says more than the browser's
  byId("controls").addEventListener("submit", (event) => {
    event.preventDefault();
    seeded();
  });
  byId("surprise").addEventListener("click", () =>
    enqueue(() => sample(() => state.sampler.sample(), "Unseeded")),
  );
}

await enqueue(start);
if (state.sampler) await seeded();
document.body.dataset.ready = "true";
