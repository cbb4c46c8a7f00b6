"""Which replica of a `tf.distribute` strategy this is."""

import tensorflow as tf


def one_of_several() -> tf.distribute.ReplicaContext | None:
    """The context of this replica; None where it is alone, or Keras only infers shapes."""
    replica = tf.distribute.get_replica_context()
    return replica if replica is not None and replica.num_replicas_in_sync > 1 else None
