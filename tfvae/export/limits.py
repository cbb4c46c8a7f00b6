"""What one request to an exported signature may ask for: numbers that need no TensorFlow.

They are checked in the graph, and each is a row's. A batching server merges the rows of several
requests and pads them to at most `max_batch_size` rows, so that a limit over all rows would refuse
requests for what their neighbours ask, and copies of them; the total is `MAX_ROWS` times a row's.
"""

# `max_batch_size` of export/batching.config, and of one request.
MAX_ROWS = 256
# 16,384 examples in all rows: 51 MB as 28 x 28 float32.
MAX_SAMPLES_PER_ROW = 64
# `score` works in chunks of constant memory: 2 million draws in all rows are two minutes for the
# network of the IWAE paper on two cores.
MAX_SCORE_SAMPLES = 8_192
# The number of a seed's first draw: times 2,048 latent numbers it is still an int32.
MAX_FIRST = 2**20
