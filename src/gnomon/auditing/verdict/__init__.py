"""What an audit concludes, in words that claim no more than intervals and one joint test show.

`joint_test` hears all attacks at once, `leak_size` says how large a leak is, `sentences` holds the words, and `speak`
chooses among them.
"""
