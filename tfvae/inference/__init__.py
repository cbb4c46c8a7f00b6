"""Draws and importance weights: the only place that turns q and noise into z and log q."""
