"""What follows from a record for whoever decides: the question, who is exposed, strength of evidence, what to do."""
