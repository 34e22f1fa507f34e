"""Shadow data for an attacker who holds none (Shokri et al. 2017, section V-C).

Three ways out: noisy versions of real records, records drawn from each feature's marginal distribution, and records
climbed out of the target's own confidence.
"""
