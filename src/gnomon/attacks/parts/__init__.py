"""What several attacks use and is no attack: who stands where, what is learned from, how queries are spent."""
