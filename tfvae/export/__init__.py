"""Export: tensor-only functions over encoder and decoder, written, reloaded and compared."""

from tfvae.lazy import lazy

_HOMES = {
    "ExportError": "publishing",
    "SavedModels": "saved_models.export",
    "TFLiteFiles": "tflite_files.export",
    "saved_model": "saved_models.export",
    "tflite": "tflite_files.export",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazy(__name__, _HOMES)
