"""The report of one audit: `page` puts it together from attacks, what the attacker has, canaries and people."""
