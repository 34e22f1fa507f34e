"""Command lines as a recipe: whatever trains and answers from files can make shadow models.

`trainer` runs the two command lines; `exchange` writes the rows that they read and reads the answers that they write;
`process` runs one, without a shell, for so long and no longer.
"""
