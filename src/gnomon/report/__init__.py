"""Renderers: one record, many views (terminal, Markdown, JSON, HTML). They compute nothing."""
