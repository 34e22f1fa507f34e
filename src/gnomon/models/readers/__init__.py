"""Reads models from files: one module a format, named in the table `gnomon.core.model_formats`.

A reader opens a file without running its maker's code (or refuses to, without trust) and says which classes the model
knows, before anything is known of the data. With the data's classes and, for weights, a network's recipe, it becomes a
`Model`. A new format is a module here with a function ``read``, and a line in the table.
"""
