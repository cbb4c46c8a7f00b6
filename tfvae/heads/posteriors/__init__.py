"""Heads of q(z|x), one a file."""
