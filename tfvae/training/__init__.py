"""Keras' `fit` as fast as the machine: inputs checked, many steps in one program."""
