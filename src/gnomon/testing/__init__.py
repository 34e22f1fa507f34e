"""The contract suite and the toy worlds that ship, so that other people can check their own attacks.

A toy world is evidence whose truth is known in closed form: an attack on it must reach the known AUC, and on a noise
world must not beat chance.
"""
