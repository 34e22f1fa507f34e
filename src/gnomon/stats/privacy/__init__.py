"""Differential privacy and attacks: what (epsilon, delta) promises, and what an attack's success refutes.

`mechanisms` goes from a promise to rates and back; `epsilon`, `credible` and `one_run` bound epsilon from below, from
repeated trainings and from one.
"""
