"""Export: tensor-only functions over encoder and decoder, written, reloaded and compared."""

from tfvae.export.publish import ExportError
from tfvae.export.saved_model import SavedModels, saved_model
from tfvae.export.tflite import TFLiteFiles, tflite

__all__ = ["ExportError", "SavedModels", "TFLiteFiles", "saved_model", "tflite"]
