"""What the figures of a report draw: each function makes one `Figure`, which paints itself when a renderer asks for it.

`axes` holds what several drawings share, `audit`, `defence` and `study` those of one kind of document.
"""
