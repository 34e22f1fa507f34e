"""Studies: many audits that share one store and answer one question together.

An audit says how much one model leaks. A study varies keys of its plan (`vary`), repeats each combination with other
seeds, keeps every cell's record in a folder of its own so that a killed run goes on (`cells`), and puts the values
together with intervals over the repeats (`summary`).
"""

from gnomon.studies.run import run_study, study_columns
from gnomon.studies.spec import StudySpec, make_spec, read_spec

__all__ = [
    "StudySpec",
    "make_spec",
    "read_spec",
    "run_study",
    "study_columns",
]
