"""One run, one process: what keeps others out of a run's folder."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tfvae.errors import UserRuntimeError
from tfvae.runs.files import cannot_write


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Makes a folder, and keeps other processes from training in it meanwhile.

    The system drops the lock of a process that is killed. The lock's file stays, hidden: one
    that is removed might be locked by a process that has opened it already.

    Raises:
        UserOSError: if the folder can't be made or written.
        UserRuntimeError: if another process trains in it.
    """
    import filelock  # no help page needs it

    lock = filelock.FileLock(folder / ".lock", timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout:
        raise UserRuntimeError(
            f"Another process is training in {folder}. Wait for it, or choose another "
            "folder with --name."
        ) from None
    except OSError as error:
        raise cannot_write(folder, error) from error
    try:
        yield
    finally:
        lock.release()


def refuse_workers() -> None:
    """Raises `UserRuntimeError` in a worker of several, which would write one folder together."""
    import tensorflow as tf  # no help page needs it

    resolver = tf.distribute.get_strategy().cluster_resolver
    workers = 1 if resolver is None else resolver.cluster_spec().num_tasks("worker")
    if workers > 1:
        raise UserRuntimeError(
            f"A run writes one folder and is trained by one process, and this is one of {workers} "
            "workers. Train settings.model() by its own fit() under the strategy, and save it in "
            "the first worker."
        )
