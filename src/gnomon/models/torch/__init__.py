"""Networks: trained one at a time or many at once in a stack, with the objectives and defences that change training.

`trainer` is the recipe and `model` what comes out. `stackability` decides whether networks can be trained together,
`mlp_stack` and `vmap_stack` compute their gradients, `stacked_training` runs the steps. `dp`, `selena` and
`adversarial` are other ways to train. torch itself is imported where it is used.
"""
