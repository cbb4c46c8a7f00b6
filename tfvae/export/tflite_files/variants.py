"""The kinds of `.tflite` files. Imports nothing heavy."""

VARIANTS = ("float32", "float16", "dynamic", "int8")
