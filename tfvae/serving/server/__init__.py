"""The development server: TensorFlow Serving's interfaces on exported models."""
