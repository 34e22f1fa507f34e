"""Renderers: one record, many views (terminal, Markdown, JSON, HTML). They compute nothing.

Every renderer draws the same `View` of a record: a verdict in plain words, what would make it false, the figures, and
where they come from. Yesterday's record renders again in another format, without the models or the data.
"""

from gnomon.report.bench import print_bench, render_bench, write_bench_report
from gnomon.report.changes import print_comparison, render_comparison, write_comparison
from gnomon.report.formats import FORMATS, format_of, render, write_report
from gnomon.report.reproduction_formats import print_reproduction, write_reproduction
from gnomon.report.study_formats import print_study, write_study
from gnomon.report.terminal import print_terminal

__all__ = [
    "FORMATS",
    "format_of",
    "print_bench",
    "print_comparison",
    "print_reproduction",
    "print_study",
    "print_terminal",
    "render",
    "render_bench",
    "render_comparison",
    "write_bench_report",
    "write_comparison",
    "write_report",
    "write_reproduction",
    "write_study",
]
