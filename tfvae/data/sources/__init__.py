"""One module a source. Each has `read(...) -> Split`: pixels checked, uint8 or float32, `[N, H, W, C]`."""
