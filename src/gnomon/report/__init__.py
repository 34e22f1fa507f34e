"""Reports: one document, many views (terminal, Markdown, JSON, HTML). They compute nothing.

Each kind of document (an audit's record, a defence, a study, a reproduction, a comparison) becomes a page of sections
(`sections`), and every renderer shows any page. Yesterday's record renders again in another format, without the models
or the data. A new figure takes a function in `plots`, a line in the section that shows it, and a test.
"""

from gnomon.report.formats import FORMATS, format_of, print_terminal, render, write_report

__all__ = ["FORMATS", "format_of", "print_terminal", "render", "write_report"]
