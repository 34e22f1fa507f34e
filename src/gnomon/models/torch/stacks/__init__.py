"""How networks are trained, many at once where that pays.

`stackability` finds out what can be done with a network. `stacked_training` trains a stack by the gradients of
`mlp_stack` (written out by hand) or of `vmap_stack` (by ``torch.func``). `fused_training` trains fully connected
networks one after the other by the compiled steps of `fused_steps`. `gnomon.models.torch.trainer` chooses.
"""
