"""The semi-supervised model of Kingma et al. 2014, M2."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import instance_of, real
from tfvae.corruptions import Corruption
from tfvae.data.fields import HOLE, Field
from tfvae.data.rows import Columns
from tfvae.inference.by_class import CLASS, CODE, ByClass, ClassAndCode
from tfvae.inference.classes import ClassPosterior, Labels, draw_class
from tfvae.inference.drawn_class import DrawnClass
from tfvae.inference.inference import Inference, Joint
from tfvae.models.autoencoding import NOTHING, Autoencoding
from tfvae.models.capabilities import Batch
from tfvae.models.conditions import with_condition_fields
from tfvae.models.encoder_decoder import Decoder, Encoder, check_nothing_shared
from tfvae.models.label_gradients import (
    ENUMERATED,
    SCORE_FUNCTION,
    checked_label_gradient,
    drawn_class,
    with_score,
)
from tfvae.models.label_terms import (
    ACCURACY,
    CLASS_KL,
    CLASSIFICATION,
    Shares,
    weighted,
    with_labels,
)
from tfvae.models.labels import check_labels, checked_class_prior, checked_label, checked_share
from tfvae.models.semi_supervised_parts import check_parts
from tfvae.noise import Noise, training_noise
from tfvae.objectives import ELBO, Nats, Objective
from tfvae.objectives.baseline import Baseline
from tfvae.priors import Prior, StandardNormal
from tfvae.training.replicas import own_rows

tfd = tfp.distributions


@keras.saving.register_keras_serializable("tfvae")
class SemiSupervisedVAE(Autoencoding):
    """p(x, y, z) = p(y) p(z) p(x|y, z), with q(y|x) q(z|x, y): learns of rows without a label, too.

    Choose it where few examples have labels and many have none; where all have, `ConditionalVAE` is
    simpler. The label is -1 where it is not known: {"x": images, "label": [3, -1, -1, 7, ..]}.

        label known    -L(x, y) = E_q(z|x, y)[log p(x|y, z)] + log p(y) - KL(q(z|x, y) || p(z))
                              <= log p(x, y)
        not known      -U(x) = sum_y q(y|x) (-L(x, y)) + H(q(y|x)) <= log p(x)
        loss            s mean of L + (1 - s) mean of U + alpha mean of -log q(y|x)

    Each mean is over the rows of its kind, s is `bound_share`, by default the data's N_l / N.

    The sum is over all K classes, in one pass of the encoder and one of the decoder for K times the
    rows. `label_gradient` has one class of each example in its place while training; `evaluate` and
    likelihoods are sums always. A code has two levels, {"y": one-hot [B, K], "z": [B, D]}. Of rows
    without a label its y is the likeliest class.

    Logged: `nll`, `kl` and `elbo` = -nll - kl, means over all rows, `log p(y)` of a known label
    within nll; `class_kl` = KL(q(y|x) || p(y)), a part of `kl`, over rows without a label;
    `classification_nll` = -log q(y|x) and the `accuracy` of q(y|x) over rows with one. All are
    unweighted. Where no row is of the kind, NaN is logged: such rows have no mean.

    Args:
        encoder: q(z|x, y), `Encoder(network, head)`, whose network takes a dict of x and the label,
            one-hot; see `ConditionalVAE`.
        decoder: p(x|y, z), `Decoder(network, head)`, likewise of z and the label.
        classifier: q(y|x), `Encoder(network, heads.LatentCategorical(K, num_categories=K))`.
        conditions: The label, by the name of its field: `{"label": Field.label(10)}`.
        prior: p(z), default `StandardNormal`; one that needs nothing of a model.
        objective: Default `ELBO()`. One that draws from each part of a mixture.
        alpha: What the classifier's mean loss counts beside the mean bound, at least 0. Default
            0.1, the paper's: its sum over N rows has alpha' = alpha N. `fit` learns the share of
            labelled rows in the data, and in batches that `labelled_per_batch` made, and weighs
            rows so that a batch's loss is an unbiased estimate.
        bound_share: s, what labelled rows count for in the mean bound, between 0 and 1. None
            (default): as many as they are, the paper's. More, such as the share of
            `labelled_per_batch`, ties the classes of p(x|y, z) to the labels, where few have one.
        class_prior: p(y), K numbers above 0. None (default): all alike.
        label_gradient: Of the sum over classes while training. "enumerated" (default): exact.
            "score_function": one y ~ q(y|x) of each example, its score weighted with the bound
            against a learned baseline (NVIL): unbiased, of high variance. "gumbel_softmax": one
            y = softmax((log q(y|x) + Gumbel) / temperature), which both networks see as it is, on
            the simplex; biased, less so the nearer the temperature is to 0. KL(q(y|x) || p(y)) is
            exact in all, of classes: no density of a relaxation is in the bound.
        temperature: Of "gumbel_softmax", above 0. Default 0.5, where the paper's schedule ends.
        corruption: See `VAE`; what the encoder and the classifier see.
        seed: See `VAE`.
        **kwargs: Keras model arguments.

    Shapes: `{"x": [B, *event], "label": [B]}`, or x alone -> reconstruction `[B, *event]`.

    Raises:
        UserTypeError: if a part is of the wrong kind.
        UserError: if the condition is no label, sizes disagree, or the objective can't enumerate.
            In `fit`: if no row has a label, or a class has none.

    Example:
        >>> import numpy as np
        >>> from tfvae import heads, networks
        >>> model = SemiSupervisedVAE(
        ...     Encoder(networks.MLP([16]), heads.MultivariateNormalDiag(2)),
        ...     Decoder(networks.MLP([16]), heads.IndependentBernoulli((8, 8, 1))),
        ...     Encoder(networks.MLP([16]), heads.LatentCategorical(3, num_categories=3)),
        ...     conditions={"label": Field.label(3)},
        ... )
        >>> model.compile("adam")
        >>> label = np.array([0, 1, 2] + 29 * [-1])
        >>> data = {"x": np.zeros((32, 8, 8, 1), "float32"), "label": label}
        >>> history = model.fit(data, verbose=0)
        >>> model.class_probabilities({"x": data["x"]}).shape.as_list()
        [32, 3]

    References:
        D. P. Kingma, D. J. Rezende, S. Mohamed and M. Welling, 2014, "Semi-supervised Learning with
        Deep Generative Models", NeurIPS 27, arXiv:1406.5298, eq. 6 to 9, model M2. A. Mnih and K.
        Gregor, 2014, arXiv:1402.0030, algorithm 1, for the baseline. E. Jang, S. Gu and B. Poole,
        2017, arXiv:1611.01144, section 4.3, for the relaxed label.
    """

    parts = (*Autoencoding.parts, "classifier", "prior", "objective")
    objective: Objective

    def __init__(
        self,
        encoder: Encoder,
        decoder: Decoder,
        classifier: Encoder,
        conditions: Mapping[str, Field],
        prior: Prior | None = None,
        objective: Objective | None = None,
        alpha: float = 0.1,
        bound_share: float | None = None,
        class_prior: Sequence[float] | None = None,
        label_gradient: Literal["enumerated", "score_function", "gumbel_softmax"] = "enumerated",
        temperature: float = 0.5,
        corruption: Corruption | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        instance_of("encoder", encoder, Encoder, "tfvae.Encoder(network, head)")
        name, field = checked_label(conditions, ("x", CODE, CLASS))
        latent_size = encoder.event_shape[0]
        prior = StandardNormal(latent_size, name="prior") if prior is None else prior
        objective = ELBO(name="objective") if objective is None else objective
        check_parts(encoder, decoder, classifier, prior, objective, len(field.classes))
        names = (*objective.names, CLASS_KL, CLASSIFICATION, ACCURACY)
        super().__init__(encoder, decoder, names, corruption=corruption, seed=seed, **kwargs)
        check_nothing_shared(classifier, decoder)
        check_nothing_shared(classifier, encoder)
        self.classifier, self.prior, self.objective = classifier, prior, objective
        self.label_name, self.label_field, self.given_field = name, field, conditions[name]
        self.alpha = real("alpha", alpha, minimum=0.0)
        self.bound_share = None if bound_share is None else checked_share(bound_share)
        self.class_prior = None if class_prior is None else [float(p) for p in class_prior]
        shares = checked_class_prior(class_prior, len(field.classes))
        self.log_classes = [math.log(share) for share in shares]
        self.label_gradient = checked_label_gradient(label_gradient)
        self.temperature = real("temperature", temperature, above=0.0)
        scored = label_gradient == SCORE_FUNCTION
        self.label_baseline = Baseline(name="label_baseline") if scored else None
        self.add_term_weight(CLASSIFICATION, self.alpha)
        self.labelled_share = self.add_weight(
            shape=(), initializer="ones", trainable=False, name="labelled_share", dtype="float32"
        )
        self.shown_share = self.add_weight(
            shape=(), initializer="ones", trainable=False, name="shown_share", dtype="float32"
        )

    @property
    def num_classes(self) -> int:
        """K."""
        return len(self.label_field.classes)

    def conditions(self) -> dict[str, Field]:
        """Returns the label: what is given of it, and drawn where it is -1."""
        return {self.label_name: self.label_field}

    def fields(self) -> dict[str, Field]:
        """Returns x and the label, which may be left out."""
        # The base's constructor asks before there is a label, for x alone.
        label = getattr(self, "label_field", None)
        return {**super().fields(), **({} if label is None else self.conditions())}

    def build(self, input_shape: Any) -> None:
        """Builds every part, the classifier first: the encoder is shown its class."""
        if not self.classifier.built:
            self.classifier.build_for(tf.zeros([1, *self.decoder.event_shape]))
        super().build(input_shape)

    def build_others(self, shape: tuple[int | None, ...]) -> None:
        """Builds the prior, the objective and the baseline."""
        self.prior.check_space(type(self.encoder.head).__name__, self.encoder.head.space)
        if self.label_baseline is not None and not self.label_baseline.built:
            self.label_baseline.build((None, math.prod(self.decoder.event_shape)))
        for part in (self.prior, self.objective):
            if not part.built:
                part.build(None if part is self.prior else shape)

    def look_at(self, columns: Columns | None, labelled: float | None = None) -> None:
        """Learns which share of the training rows has a label, and which of those in a batch.

        Raises:
            UserError: if no row has one, a class has none, or the data set does not say.
        """
        share = check_labels(columns, self.label_name, self.label_field)
        self.labelled_share.assign(share)
        self.shown_share.assign(share if labelled is None else labelled)

    def weight(self, term: str) -> tf.Tensor | float:
        """Returns the factor of a term: of a labelled row's loss alpha / the share of such rows."""
        factor = super().weight(term)
        return factor / self.labelled_share if term == CLASSIFICATION else factor

    def labels_of(self, conditions: Batch, rows: tf.Tensor) -> Labels:
        """Returns the labels of a batch, or of conditions; none is known where there are none."""
        if self.label_name not in conditions:
            return Labels(tf.zeros([rows, self.num_classes]), tf.zeros([rows]))
        label = conditions[self.label_name]
        known = tf.cast(tf.not_equal(label, HOLE), tf.float32)
        return Labels(tf.one_hot(label, self.num_classes), known)  # of -1 zeros

    def class_logits(self, batch: Batch) -> tf.Tensor:
        """Returns the logits of q(y|x), `[B, K]`."""
        return self.classifier.parameters(batch["x"])["logits"][:, 0]

    def class_probabilities(self, batch: Batch) -> tf.Tensor:
        """Returns q(y|x) `[B, K]`, whatever the label says."""
        return tf.nn.softmax(self.class_logits(batch))

    def class_of(self, batch: Batch) -> tf.Tensor:
        """Returns the label, one-hot `[B, K]`, or the likeliest class where it is not known."""
        labels = self.labels_of(batch, tf.shape(batch["x"])[0])
        likeliest = tf.one_hot(tf.argmax(self.class_logits(batch), axis=-1), self.num_classes)
        return labels.instead_of(likeliest)

    def encoder_inputs(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Returns x and the class."""
        return {"x": batch["x"], self.label_name: self.class_of(batch)}

    def decoder_inputs(self, z: Any, conditions: Batch = NOTHING) -> dict[str, tf.Tensor]:
        """Returns z and its class; a label that is given takes that one's place."""
        if tf.is_tensor(z):  # as parts are built
            z = {CODE: z, CLASS: tf.zeros([*z.shape[:-1], self.num_classes])}
        y = z[CLASS]
        if self.label_name in conditions:
            y = self.labels_of(conditions, tf.shape(y)[-2]).instead_of(y)
        return {CODE: self.encoder.head.embedded(z[CODE]), self.label_name: y}

    def infer(self, batch: Batch, training: bool = False) -> Inference:
        """Returns q(y, z|x), and p(x, y, z), or p(x, y=label, z) of rows with a label.

        Of all classes, or in training of those that `label_gradient` draws.
        """
        seen = self.corrupted(batch) if training else batch
        labels = self.labels_of(batch, tf.shape(batch["x"])[0])
        classes = ClassPosterior.of(self.class_logits(seen), labels)
        log_classes, prior = tf.constant(self.log_classes), self.prior_distribution()

        def joint(z: dict[str, tf.Tensor]) -> Joint:
            likelihood = self.decoder(self.decoder_inputs(z), training=training)
            log_class = tf.reduce_sum(z[CLASS] * log_classes, axis=-1)
            log_label = labels.known * log_class + labels.log_allowed(z[CLASS])
            log_prior = prior.log_prob(z[CODE]) + (1.0 - labels.known) * log_class
            log_likelihood = likelihood.log_prob(batch["x"]) + log_label
            return Joint(log_likelihood, log_prior, likelihood.mean())

        head, both = self.encoder.head, ClassAndCode(log_classes, prior)
        if self.label_gradient == ENUMERATED or not training:
            return Inference(ByClass(head, self._posteriors(seen), classes, both), joint)
        rows = own_rows(batch)
        noise = training_noise(self.next_seed(), 1, rows.computed, rows.first)
        y = drawn_class(classes, self.label_gradient, self.temperature, noise)
        posterior = self.encoder({"x": seen["x"], self.label_name: y}, training=training)
        return Inference(DrawnClass(head, posterior, y, classes, both), joint)

    def _posteriors(self, batch: Batch) -> list[tfd.Distribution]:
        """q(z|x, y) of each class, from one pass of the encoder for all."""
        each = {self.label_name: tf.eye(self.num_classes)}
        parameters = self.encoder.parameters_of_each({"x": batch["x"]}, each)
        return [
            self.encoder.head.distribution(**{name: value[k] for name, value in parameters.items()})
            for k in range(self.num_classes)
        ]

    def loss_terms(self, batch: Batch, training: bool) -> Nats:
        """Returns the objective's nats, and those of the classifier on rows with a label."""
        inference = self.infer(batch, training)
        nats, proposal = self.objective.nats(self.with_noise(inference, batch)), inference.proposal
        if self.label_baseline is not None and isinstance(proposal, DrawnClass):
            score = proposal.score()
            nats = with_score(nats, self.weight, score, batch["x"], self.label_baseline)
        assert isinstance(proposal, DrawnClass | ByClass)
        nats = with_labels(nats, proposal.classes, tf.constant(self.log_classes))
        return weighted(nats, proposal.classes.labels.known, self._shares()) if training else nats

    def _shares(self) -> Shares:
        data = tf.identity(self.labelled_share)
        bound = data if self.bound_share is None else tf.constant(self.bound_share)
        return Shares(data, tf.identity(self.shown_share), bound)

    def code_of(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Returns the class, one-hot `[B, K]`, and the point estimate of z, `[B, D]`."""
        inputs = self.encoder_inputs(batch)
        return {CLASS: inputs[self.label_name], CODE: self.encoder.head.code(self.encoder(inputs))}

    def encoding_layers(self) -> list[keras.layers.Layer]:
        """Returns the classifier and the encoder."""
        return [self.classifier, self.encoder]

    def encoder_outputs(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Returns q(y|x), the class y, and the parameters of q(z|x, y) with what follows."""
        inputs = self.encoder_inputs(batch)
        outputs = self.encoder.head.outputs(self.encoder.parameters(inputs))
        probabilities = self.class_probabilities(batch)
        return {"class_probabilities": probabilities, CLASS: inputs[self.label_name], **outputs}

    def prior_distribution(self, conditions: Batch = NOTHING) -> tfd.Distribution:
        """Returns p(z), whatever the label."""
        return self.prior.distribution()

    def generate(self, noise: Noise, conditions: Batch = NOTHING) -> dict[str, tf.Tensor]:
        """Returns codes from the prior, of the label that is given, or else of one from p(y)."""
        z = self.prior.checked_codes(noise)
        y = draw_class(tf.exp(tf.constant(self.log_classes)), noise)
        if self.label_name in conditions:
            y = self.labels_of(conditions, tf.shape(y)[-2]).instead_of(y)
        return {CLASS: y, CODE: z}

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments; the present weight of a term is a weight."""
        return {
            **super().get_config(),
            "conditions": {self.label_name: self.given_field.get_config()},
            "alpha": self.alpha,
            "bound_share": self.bound_share,
            "class_prior": self.class_prior,
            "label_gradient": self.label_gradient,
            "temperature": self.temperature,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "SemiSupervisedVAE":
        """Creates one from `get_config`."""
        made = super().from_config(with_condition_fields(config), custom_objects)
        assert isinstance(made, cls)
        return made
