"""Densities of our own, where TFP has none or a slower one, and divergences."""
