"""Exported sets: what one export made, in one folder, with its manifest. Nothing of TensorFlow."""
