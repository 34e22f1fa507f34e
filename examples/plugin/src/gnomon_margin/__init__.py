"""A template for plug-ins of gnomon: an attack, a mitigation and a reader of model files."""
