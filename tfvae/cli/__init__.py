"""The command line: one file a command, each of which parses and calls one function.

A command `NAME` is the module `tfvae.cli.NAME`, which defines `command`, a `click.Command`, and
imports nothing heavy at its top: what the command calls is imported inside the function. Its name
goes into `COMMANDS` of `tfvae.cli.main`.
"""
