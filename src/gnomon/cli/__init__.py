"""The command line: `gnomon demo`, `audit`, `report`, `gate`, `synth`, `list`.

Commands fill the same typed `Plan` that a Python user builds, call the library, and turn every `GnomonError` into one
line and exit code 2.
"""

from gnomon.cli.app import main

__all__ = ["main"]
