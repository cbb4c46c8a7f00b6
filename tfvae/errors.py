"""Errors that are the user's to mend; any other that reaches the user is a bug of this package.

The command line prints one line for a `UserError` and the traceback of everything else. Each kind
is what Python would have raised as well, so that `except ValueError` goes on working.
"""


class UserError(ValueError):
    """A value that can't be used. The message says what was received and what to do."""

    # AutoGraph, which Keras traces steps with, makes an error anew, with the lines that led to it,
    # if its class has this very method; of any other class it makes one that is not the user's.
    __init__ = Exception.__init__

    # Keras would make it anew, with the arguments of the layer that it was raised in around it.
    _keras_call_info_injected = True


class UserTypeError(UserError, TypeError):
    """A value of a kind that can't be used."""


class UserRuntimeError(UserError, RuntimeError):
    """Something was asked for at a time when it can't be done, such as before `build`."""


class UserImportError(UserError, ImportError):
    """A package that is needed for this and is not installed."""


class UserFileNotFoundError(UserError, FileNotFoundError):
    """A file, a folder or a data set that is not there."""


class UserOSError(UserError, OSError):
    """A file or a folder that can't be written or read."""


class DivergedError(UserError, FloatingPointError):
    """Numbers that are not finite where finite ones were due."""
