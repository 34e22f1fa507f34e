"""What an audit concludes, in words that claim no more than intervals and one joint test show.

`leak` hears all attacks at once and says how large a leak is, `sentences` holds the words, and `speak` chooses among
them.
"""
