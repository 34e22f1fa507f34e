"""gnomon measures what a trained model gives away about the records that it was trained on."""

__version__ = "0.1.0"
