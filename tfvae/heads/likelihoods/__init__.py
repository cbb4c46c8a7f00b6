"""Heads of p(x|z), one a file."""
