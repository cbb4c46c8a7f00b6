"""A package that is not ours: what a stranger writes who has read tfvae's docstrings alone."""
