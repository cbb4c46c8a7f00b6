"""Features of a trained model for a classifier of few labels: M1 of Kingma et al. 2014."""

from typing import Any

import numpy as np

from tfvae.errors import UserError
from tfvae.evaluation.latents import latent_codes
from tfvae.models.capabilities import Encodes, require
from tfvae.models.codes import vector_size
from tfvae.uses.classification import Classification


class CodeClassifier:
    """A classifier of scikit-learn's on the codes of a model; `classify_codes` makes it.

    Args:
        model: Encodes, to one vector.
        classifier: A fitted pipeline of scikit-learn.
        num_classes: K.
    """

    def __init__(self, model: Any, classifier: Any, num_classes: int):
        self.model, self.classifier, self.num_classes = model, classifier, num_classes

    def classify(self, data: Any, batch_size: int = 128) -> Classification:
        """Returns how likely each class of each example is.

        Args:
            data: What the model's `fit` takes.
            batch_size: Examples that are encoded at once.
        """
        codes = latent_codes(self.model, data, batch_size=batch_size)
        found = np.zeros((len(codes), self.num_classes))
        found[:, self.classifier.classes_] = self.classifier.predict_proba(codes)
        return Classification(found)


def classify_codes(
    model: Any,
    data: Any,
    labels: Any,
    classifier: Any = None,
    batch_size: int = 128,
) -> CodeClassifier:
    """Fits a classifier to the codes of the examples that have a label, of a model without labels.

    M1: the model learns from all examples, the classifier from the few with labels. A code is the
    mean of q(z|x), standardised over all examples that are given.

    Args:
        model: Trained; its codes are one vector of real numbers.
        data: What its `fit` takes, N examples.
        labels: `[N]`, whole numbers from 0, -1 where there is none.
        classifier: Of scikit-learn, unfitted, with `predict_proba`. None (default):
            `LogisticRegression(max_iter=1000)`; the paper takes a support vector machine.
        batch_size: Examples that are encoded at once.

    Raises:
        UserError: for a model that can't, codes that are no vector of real numbers, other than N
            labels, or fewer than two classes among them.

    Example:
        >>> import numpy as np, tfvae
        >>> model = tfvae.presets.model("digits", latent_size=2, units=(8,))
        >>> x = np.random.default_rng(0).random((6, 8, 8, 1)).astype("float32")
        >>> found = classify_codes(model, x, [0, 1, 0, 1, -1, -1])
        >>> found.classify(x).probabilities.shape
        (6, 2)

    References:
        D. P. Kingma et al., 2014, "Semi-supervised Learning with Deep Generative Models", NeurIPS
        27, arXiv:1406.5298, section 2, model M1. Departure: their features are draws from q(z|x).
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    require(model, "classify_codes()", Encodes)
    if vector_size(model) is None:
        raise UserError(
            f"The codes of {type(model).__name__} are no vector of real numbers, which a "
            "classifier takes. Use a model with one latent vector."
        )
    codes, labels = latent_codes(model, data, batch_size=batch_size), np.asarray(labels)
    if labels.shape != (len(codes),) or not np.issubdtype(labels.dtype, np.integer):
        raise UserError(
            f"labels has shape {labels.shape} and dtype {labels.dtype}; expected whole numbers, "
            f"one each of {len(codes)} examples, -1 where there is none."
        )
    known = labels >= 0
    if len(np.unique(labels[known])) < 2:
        raise UserError(
            f"labels has {len(np.unique(labels[known]))} classes among {known.sum()} labelled "
            "examples; expected at least 2."
        )
    chosen = LogisticRegression(max_iter=1000) if classifier is None else classifier
    scaler = StandardScaler().fit(codes)
    chosen.fit(scaler.transform(codes[known]), labels[known])
    return CodeClassifier(model, make_pipeline(scaler, chosen), int(labels.max()) + 1)
