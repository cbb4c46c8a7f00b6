// Samples decoder.tflite on iOS. In the Podfile:
//     pod 'TensorFlowLiteSwift', '~> 2.14'
// Use one Sampler per thread: an Interpreter is not thread-safe.

import Foundation
import TensorFlowLite

final class Sampler {
    private let interpreter: Interpreter

    init(modelPath: String) throws {
        interpreter = try Interpreter(modelPath: modelPath)
    }

    /// The same seed gives the same images in Python (`vae.sample`), behind a server and here.
    /// - Returns: images `[numSamples, H, W, C]` in [0, 1] and z `[numSamples, D]`, row by row.
    func sample(_ numSamples: Int32, seed: Int32) throws -> (images: [Float], z: [Float]) {
        let runner = try interpreter.signatureRunner(with: "sample_seeded")
        try runner.invoke(with: ["num_samples": bytes([numSamples]), "seed": bytes([seed])])
        return (try floats(runner, "x"), try floats(runner, "z"))
    }

    /// Other images at each call.
    func sample(_ numSamples: Int32) throws -> (images: [Float], z: [Float]) {
        let runner = try interpreter.signatureRunner(with: "sample")
        try runner.invoke(with: ["num_samples": bytes([numSamples])])
        return (try floats(runner, "x"), try floats(runner, "z"))
    }

    /// Probabilities of the pixels for codes of your own: `rows * latentSize` numbers.
    func decode(_ z: [Float], latentSize: Int) throws -> [Float] {
        let runner = try interpreter.signatureRunner(with: "decode")
        try runner.resizeInput(named: "z", toShape: [z.count / latentSize, latentSize])
        try runner.invoke(with: ["z": bytes(z)])
        return try floats(runner, "probs")
    }

    private func bytes<Number>(_ values: [Number]) -> Data {
        values.withUnsafeBufferPointer { Data(buffer: $0) }
    }

    private func floats(_ runner: SignatureRunner, _ name: String) throws -> [Float] {
        try runner.output(named: name).data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    }
}
