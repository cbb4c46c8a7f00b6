"""Export: tensor-only functions over encoder and decoder, written, reloaded and compared."""

from typing import TYPE_CHECKING

from tfvae.lazy import lazy

if TYPE_CHECKING:  # for editors and type checkers: the names of `_HOMES`
    from tfvae.export.publishing import ExportError as ExportError
    from tfvae.export.saved_models.export import SavedModels as SavedModels
    from tfvae.export.saved_models.export import saved_model as saved_model
    from tfvae.export.sets.integrity import verify as verify
    from tfvae.export.sets.manifest import IntegrityError as IntegrityError
    from tfvae.export.sets.manifest import Manifest as Manifest
    from tfvae.export.sets.manifest import Spread as Spread
    from tfvae.export.sets.manifest import read_manifest as read_manifest
    from tfvae.export.tflite_files.export import TFLiteFiles as TFLiteFiles
    from tfvae.export.tflite_files.export import tflite as tflite

_HOMES = {
    "ExportError": "publishing",
    "IntegrityError": "sets.manifest",
    "Manifest": "sets.manifest",
    "SavedModels": "saved_models.export",
    "Spread": "sets.manifest",
    "TFLiteFiles": "tflite_files.export",
    "read_manifest": "sets.manifest",
    "saved_model": "saved_models.export",
    "tflite": "tflite_files.export",
    "verify": "sets.integrity",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazy(__name__, _HOMES)
