"""Keras finds the classes of saved models, although `import tfvae` loads none of them.

`keras.models.load_model` looks classes up by their registered names. As soon as Keras is imported,
before or after tfvae, each of ours has a stand-in under its name, which imports the class when a
file asks for it; the class then registers itself in the stand-in's place.
"""

import importlib
import importlib.abc
import importlib.util
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_OTHERS = (
    "tfvae.models.stages:StagedModel",
    "tfvae.models.with_prior:ModelWithPrior",
    "tfvae.models.code_model:CodeModel",
    "tfvae.models.encoder_decoder:Encoder",
    "tfvae.models.encoder_decoder:Decoder",
    "tfvae.models.level:Level",
    "tfvae.models.code_level:CodeLevel",
    "tfvae.heads.posteriors.flow:Flow",
    "tfvae.heads.posteriors.joint:JointPosterior",
    "tfvae.priors.joint_prior:JointPrior",
    "tfvae.flows.inverse_autoregressive:InverseAutoregressive",
    "tfvae.flows.masked_autoregressive:MaskedAutoregressive",
    "tfvae.flows.affine_coupling:AffineCoupling",
    "tfvae.flows.householder:Householder",
    "tfvae.flows.planar:Planar",
    "tfvae.flows.radial:Radial",
    "tfvae.flows.spline_coupling:SplineCoupling",
    "tfvae.networks.masked:MADE",
    "tfvae.heads.likelihoods.product:Product",
    "tfvae.networks.joining:SideBySide",
    "tfvae.networks.combining:Combine",
    "tfvae.networks.mlp:MLP",
    "tfvae.networks.conv:Conv",
    "tfvae.networks.conv:ConvTranspose",
    "tfvae.networks.codes_above:CodesAbove",
    "tfvae.networks.unet:UNet",
    "tfvae.networks.residual:ResidualConv",
    "tfvae.networks.residual:ResidualConvTranspose",
    "tfvae.networks.cells:SqueezeExcitation",
    "tfvae.networks.cells:InferenceCell",
    "tfvae.networks.cells:GenerativeCell",
    "tfvae.networks.nvae:NVAEConv",
    "tfvae.networks.nvae:NVAEConvTranspose",
    "tfvae.training.phased_optimizer:PhasedOptimizer",
)
_SAVED_KINDS = (
    "model",
    "conditionals",
    "posterior",
    "quantiser",
    "likelihood",
    "prior",
    "objective",
    "corruption",
    "missing_process",
)


def registered_paths() -> tuple[str, ...]:
    """Every class that a saved model may hold, "package.module:Name"."""
    from tfvae.catalogue import KINDS  # reads source files; asked for when Keras is there

    members = [path for kind in _SAVED_KINDS for path in KINDS[kind].members.values()]
    return (*members, *_OTHERS)


def register_with_keras() -> None:
    """Gives Keras the stand-ins, now or as soon as it is imported."""
    keras = sys.modules.get("keras")
    if keras is None:
        sys.meta_path.insert(0, _WhenKerasIsImported())
    elif hasattr(keras, "saving"):  # not where Keras itself is half imported
        _register()


def _register() -> None:
    import keras

    for path in registered_paths():
        module, _, name = path.partition(":")
        if keras.saving.get_registered_object(f"tfvae>{name}") is None:
            keras.saving.register_keras_serializable("tfvae", name)(_stand_in(module, name))


def _stand_in(module: str, name: str) -> type:
    def from_config(cls: type, config: dict[str, Any]) -> Any:
        return getattr(importlib.import_module(module), name).from_config(config)

    def get_config(self: Any) -> dict[str, Any]:
        raise NotImplementedError(f"{name} is a stand-in of {module}.{name}, and is never made.")

    return type(name, (), {"from_config": classmethod(from_config), "get_config": get_config})


class _WhenKerasIsImported(importlib.abc.MetaPathFinder):
    """Finds Keras as it would be found, and registers the stand-ins once it is imported."""

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> Any:
        """The specification of the module `keras`, its execution followed by the registration."""
        if name != "keras":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        return spec if spec is None else _followed_by_registration(spec)


def _followed_by_registration(spec: ModuleSpec) -> ModuleSpec:
    loader = spec.loader
    assert loader is not None  # whatever can be imported has one
    execute = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        execute(module)
        _register()

    loader.exec_module = exec_module  # type: ignore[method-assign]  # of this one loader, for once
    return spec
