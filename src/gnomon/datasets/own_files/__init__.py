"""The user's own files: members, non-members and further rows as csv, parquet or npz, and files of answers.

`files` reads and checks one file, `tables` unites several into one data set, `answer_files` reads a model's answers.
"""
