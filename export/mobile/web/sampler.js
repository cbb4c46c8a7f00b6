// A decoder exported with `browser_samples`, run by LiteRT's WebAssembly runtime.
//
// decoder.tflite has a free batch size, which the web runtime does not know (2.5.3 refuses a decode
// of any other size than -1, and a second sample overruns its output buffer). So the page loads
// decoder_browser.tflite: the same graph with all sizes fixed.
import { loadAndCompile, loadLiteRt, Tensor } from "@litertjs/core";

export class Sampler {
  // wasm: URL of the folder with the runtime's .wasm files; bytes: the .tflite file, a Uint8Array.
  static async load(wasm, bytes) {
    await loadLiteRt(wasm);
    return new Sampler(await loadAndCompile(bytes, { accelerator: "wasm" }));
  }

  constructor(model) {
    this.model = model;
    const outputs = model.signatures.sample_seeded.getOutputDetails();
    const shape = (name) => [...outputs.find((output) => output.name === name).shape];
    [this.count, this.height, this.width, this.channels = 1] = shape("x");
    this.latentSize = shape("z")[1];
    if (this.count < 1) throw new Error("free batch size: export with browser_samples");
  }

  // -> { x: Float32Array [count, H, W, C], z: Float32Array [count, D] }
  sampleSeeded(seed) {
    if (!Number.isInteger(seed) || seed < -(2 ** 31) || seed >= 2 ** 31) {
      throw new RangeError(`the seed is ${seed}; expected an integer from -2^31 to 2^31 - 1`);
    }
    return this.run("sample_seeded", { seed: new Tensor(new Int32Array([seed]), []) });
  }

  // Other samples at each call.
  sample() {
    return this.run("sample", {});
  }

  // z: Float32Array [count, D] -> x: Float32Array [count, H, W, C], the likelihood's mean.
  async decode(z) {
    const tensor = new Tensor(z, [this.count, this.latentSize]);
    const outputs = await this.run("decode", { z: tensor });
    return outputs.probs ?? outputs.loc;
  }

  async run(signature, inputs) {
    const outputs = await this.model.run(signature, inputs);
    const arrays = {};
    for (const [name, tensor] of Object.entries(outputs)) {
      arrays[name] = (await tensor.data()).slice();
      tensor.delete();
    }
    for (const tensor of Object.values(inputs)) tensor.delete();
    return arrays;
  }
}
