// Samples decoder.tflite on Android. In build.gradle.kts:
//     implementation("com.google.ai.edge.litert:litert:1.4.2")
// The Interpreter API is the one that knows free batch sizes; CompiledModel does not.
// Use one Sampler per thread: an Interpreter is not thread-safe.

import java.io.File
import java.nio.FloatBuffer
import org.tensorflow.lite.Interpreter

class Sampler(model: File, private val pixels: Int, private val latentSize: Int) : AutoCloseable {
    private val interpreter = Interpreter(model, Interpreter.Options().setNumThreads(2))

    /** Images and their codes: [numSamples * pixels] in [0, 1], [numSamples * latentSize]. */
    class Samples(val images: FloatArray, val z: FloatArray)

    /** The same seed gives the same images in Python (`vae.sample`), behind a server and here. */
    fun sample(numSamples: Int, seed: Int): Samples =
        draw("sample_seeded", numSamples, mapOf("num_samples" to numSamples, "seed" to seed))

    /** Other images at each call. */
    fun sample(numSamples: Int): Samples =
        draw("sample", numSamples, mapOf("num_samples" to numSamples))

    /** Probabilities of the pixels for codes of your own, one row each. */
    fun decode(z: Array<FloatArray>): FloatArray {
        val probs = FloatBuffer.allocate(z.size * pixels)
        interpreter.runSignature(mapOf("z" to z), mapOf("probs" to probs), "decode")
        return probs.array()
    }

    private fun draw(signature: String, numSamples: Int, inputs: Map<String, Any>): Samples {
        val images = FloatBuffer.allocate(numSamples * pixels)
        val z = FloatBuffer.allocate(numSamples * latentSize)
        interpreter.runSignature(inputs, mapOf("x" to images, "z" to z), signature)
        return Samples(images.array(), z.array())
    }

    override fun close() = interpreter.close()
}
