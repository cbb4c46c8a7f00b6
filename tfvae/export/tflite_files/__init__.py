"""`.tflite` files for phones and browsers."""
