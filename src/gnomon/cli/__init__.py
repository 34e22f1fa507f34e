"""The command line: one module for each command (`gnomon --help` lists them), imported when it runs.

`app` parses and chooses the exit code. Commands fill the same typed `Plan` that a Python user builds,
call the library, and turn every `GnomonError` into one line and exit code 2.
"""

from gnomon.cli.app import main

__all__ = ["main"]
