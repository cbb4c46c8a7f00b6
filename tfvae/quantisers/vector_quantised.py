"""Nearest codes of a code book that is learned."""

from typing import Any, Literal, get_args

import keras
import tensorflow as tf

from tfvae.checks import LARGEST_SIZE, positive_int, real
from tfvae.distributions.straight_through import rounded
from tfvae.errors import UserError
from tfvae.noise import Noise
from tfvae.quantisers.base import Quantised, Quantiser, needed, sum_over_positions
from tfvae.quantisers.code_book import (
    CodeBook,
    k_means,
    moved,
    nearest_codes,
    of_all_replicas,
    restarted,
    sums_of_codes,
)

Update = Literal["moving_average", "codebook_loss"]
Start = Literal["k_means", "normal"]
_ITERATIONS = 10  # of Lloyd's: the codes go on moving with every batch


@keras.saving.register_keras_serializable("tfvae")
class VectorQuantised(Quantiser):
    """k = argmin_j |x - e_j|,  straight through: e_k in value, x in the gradient.

        moving average    N_j <- d N_j + (1 - d) n_j,  m_j <- d m_j + (1 - d) sum of x
                          e_j = m_j / N'_j,  N'_j = (N_j + epsilon) / (N + K epsilon) N,  N = sum_j N_j
        loss              beta |x - sg(e_k)|^2,  and of a code book that learns by gradient
                          |sg(x) - e_k|^2,  summed over the positions of an example

    Choose it where codes are to be few and each used; `FiniteScalar` needs no code book and none
    of the care that keeps one alive. The moving average is Lloyd's algorithm in small steps: with
    d = 0 and the whole data as one batch it is one of them.

    Codes begin at the k-means of the first batch. A code whose count N_j, the moving average of how
    many vectors of a batch it is the nearest of, falls below `restart_below` times the mean count
    N / K is dead: it becomes a vector of the batch, drawn with the noise of the step, and has the
    mean count from then on. Of one that nothing is nearest of any more, with the default that takes
    log(0.03) / log(d) = 349 steps.

    Args:
        num_codes: K, default 128.
        vector_size: D, default 64.
        update: How codes learn: "moving_average" (default) or "codebook_loss".
        commitment_weight: beta, at least 0, default 0.25.
        decay: d, from 0 up to but not including 1, default 0.99.
        epsilon: Of the smoothing of counts (Laplace), at least 0, default 1e-5.
        start: "k_means" (default) or "normal", standard Normal numbers.
        restart_below: A share of the mean count, from 0 up to but not including 1, default 0.03;
            0 restarts none.
        **kwargs: Keras layer arguments.

    Shapes: features `[B, ..., F]` -> indices `[B, ...]`, vectors `[B, ..., D]`; terms `commitment`,
        and `codebook` where codes learn by gradient, `[B]`.

    Raises:
        UserError: for an argument out of its range; in `fit`, before it trains, if the code book is
            larger than the number of vectors of the batch that k-means is to start from.
        tf.errors.InvalidArgumentError: in place of this last, of batches of a Python generator,
            whose rows are not known before, in a compiled step. XLA leaves such checks out: some
            codes then begin at the same vector, and all of these but one are dead at once.

    Example:
        >>> import numpy as np
        >>> layer = VectorQuantised(num_codes=4, vector_size=2)
        >>> layer(np.zeros((3, 7, 7, 16), "float32")).indices.shape.as_list()
        [3, 7, 7]

    References:
        A. van den Oord, O. Vinyals, K. Kavukcuoglu, 2017, "Neural Discrete Representation
        Learning", arXiv:1711.00937, eq. 1 to 3 and appendix A.1 (moving averages). A. Razavi,
        A. van den Oord, O. Vinyals, 2019, arXiv:1906.00446, section 2.1. P. Dhariwal et al., 2020,
        "Jukebox", arXiv:2005.00341, section 3.1, for the restarts. Departure: there a code is dead
        below a number of vectors, which a share of the mean is not if batches or code books grow.
    """  # noqa: E501

    def __init__(
        self,
        num_codes: int = 128,
        vector_size: int = 64,
        update: Update = "moving_average",
        commitment_weight: float = 0.25,
        decay: float = 0.99,
        epsilon: float = 1e-5,
        start: Start = "k_means",
        restart_below: float = 0.03,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.num_codes = positive_int("num_codes", num_codes, 2, LARGEST_SIZE)
        self.vector_size = positive_int("vector_size", vector_size, maximum=LARGEST_SIZE)
        self.update = _one_of("update", update, get_args(Update))
        self.commitment_weight = real("commitment_weight", commitment_weight, minimum=0.0)
        self.decay = real("decay", decay, minimum=0.0)
        if self.decay >= 1.0:
            raise UserError(f"decay must be below 1, received {decay!r}: codes would stand still.")
        self.epsilon = real("epsilon", epsilon, minimum=0.0)
        self.start = _one_of("start", start, get_args(Start))
        self.restart_below = real("restart_below", restart_below, minimum=0.0)
        if self.restart_below >= 1.0:
            raise UserError(
                f"restart_below is a share of the mean count and must be below 1, received "
                f"{restart_below!r}: some code is always below the mean."
            )
        self.term_factors = {"commitment": self.commitment_weight}
        if self.learns_by_gradient:
            self.term_factors["codebook"] = 1.0

    @property
    def learns_by_gradient(self) -> bool:
        """Whether the code book has a term in the loss, and no moving average."""
        return self.update == get_args(Update)[1]

    def build(self, features_shape: Any) -> None:
        """Creates the projection, the code book and its counts."""
        super().build(features_shape)
        state = {"trainable": False, "dtype": "float32"}
        shape = (self.num_codes, self.vector_size)
        self.codes = self.add_weight(
            shape=shape,
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            trainable=self.learns_by_gradient,
            dtype="float32",
            name="codes",
        )
        self.counts = self.add_weight(
            shape=(self.num_codes,), initializer="ones", name="counts", **state
        )
        self.sums = None
        if not self.learns_by_gradient:
            self.sums = self.add_weight(shape=shape, initializer="zeros", name="sums", **state)
            self.sums.assign(self.codes.value)  # of one vector each
        self.started = self.add_weight(shape=(), initializer="zeros", name="started", **state)

    @property
    def starts_at_data(self) -> bool:
        """Whether k-means is still to start it."""
        wanted = self.trainable and self.start == get_args(Start)[0]
        return wanted and self.built and not self._has_started()

    def check_start(self, count: int) -> None:
        """Refuses a first batch of fewer vectors than there are codes."""
        if self.starts_at_data and count < self.num_codes:
            raise UserError("".join(map(str, self._too_few(count))))

    def quantise(
        self, inputs: tf.Tensor, noise: Noise | None, num_rows: Any, training: bool
    ) -> Quantised:
        """Returns the nearest codes of vectors `[B, ..., D]`."""
        learns = training and self.trainable
        size = self.vector_size
        if learns:
            seen = inputs if num_rows is None else inputs[:num_rows]
            seen = tf.reshape(tf.stop_gradient(seen), [-1, size])
            everywhere = of_all_replicas(seen)
            self._start(everywhere, needed(noise))
        codes = tf.convert_to_tensor(self.codes)
        flat = nearest_codes(tf.reshape(inputs, [-1, size]), codes)
        indices = tf.reshape(flat, tf.shape(inputs)[:-1])
        indices.set_shape(inputs.shape[:-1])
        nearest = tf.gather(codes, indices)
        held = tf.stop_gradient(nearest)
        terms = {"commitment": sum_over_positions(tf.square(inputs - held))}
        if self.learns_by_gradient:
            errors = tf.square(tf.stop_gradient(inputs) - nearest)
            terms["codebook"] = sum_over_positions(errors)
        if learns:
            self._learn(seen, flat[: tf.shape(seen)[0]], everywhere, needed(noise))
        return Quantised(indices, rounded(held, inputs), terms)

    def lookup(self, indices: tf.Tensor) -> tf.Tensor:
        """Returns the codes."""
        return tf.gather(tf.convert_to_tensor(self.codes), indices)

    def _start(self, vectors: tf.Tensor, noise: Noise) -> None:
        """Puts the codes at the k-means of the first batch."""
        if self.start != get_args(Start)[0]:
            return
        count = vectors.shape[0]
        if count is not None and count < self.num_codes:
            with tf.init_scope():
                started = self._has_started()
            if started:  # a last batch that is smaller than the first
                return
            raise UserError("".join(map(str, self._too_few(count))))

        def first() -> CodeBook:
            checks = []
            if count is None:
                number = tf.shape(vectors)[0]
                checks = [tf.debugging.Assert(number >= self.num_codes, self._too_few(number))]
            with tf.control_dependencies(checks):
                return k_means(tf.identity(vectors), self.num_codes, _ITERATIONS, noise)

        def later() -> CodeBook:
            return self._book()

        book = tf.cond(self.started < 0.5, first, later)
        self._assign(book)
        with tf.control_dependencies([book.codes]):  # a batch that is refused has started nothing
            self.started.assign(1.0)

    def _has_started(self) -> bool:
        """Whether k-means has; asked outside of compiled steps."""
        return float(tf.convert_to_tensor(self.started)) > 0.5  # a mirrored variable is no number

    def _too_few(self, count: Any) -> list[Any]:
        """What is said of a first batch of `count` vectors, in parts."""
        return [
            f"The code book has {self.num_codes} codes, and k-means is to start it from the first "
            "batch, which has ",
            count,
            ' vectors. Take larger batches, fewer codes, or start="normal".',
        ]

    def _learn(
        self, vectors: tf.Tensor, indices: tf.Tensor, everywhere: tf.Tensor, noise: Noise
    ) -> None:
        """Moves the codes and restarts the dead ones."""
        counts, sums = sums_of_codes(vectors, indices, self.num_codes)
        book = self._book()
        found = moved(book, counts, sums, self.decay, self.epsilon)
        if self.learns_by_gradient:
            found = found._replace(codes=book.codes)
        if self.restart_below > 0.0:
            found = restarted(found, everywhere, self.restart_below, noise)
        self._assign(found)

    def _book(self) -> CodeBook:
        codes, counts = (tf.convert_to_tensor(w) for w in (self.codes, self.counts))
        sums = tf.zeros_like(codes) if self.sums is None else tf.convert_to_tensor(self.sums)
        return CodeBook(*map(tf.stop_gradient, (codes, counts, sums)))

    def _assign(self, book: CodeBook) -> None:
        self.codes.assign(book.codes)
        self.counts.assign(book.counts)
        if self.sums is not None:
            self.sums.assign(book.sums)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        sizes = ("num_codes", "vector_size", "update", "commitment_weight", "decay", "epsilon")
        own = {name: getattr(self, name) for name in (*sizes, "start", "restart_below")}
        return {**super().get_config(), **own}


def _one_of(name: str, value: Any, known: tuple[str, ...]) -> str:
    if value not in known:
        raise UserError(f"{name} must be one of {', '.join(map(repr, known))}, received {value!r}.")
    return value
