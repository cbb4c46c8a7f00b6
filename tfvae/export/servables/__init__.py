"""Servables: tensor-only signatures over what a model can do."""
