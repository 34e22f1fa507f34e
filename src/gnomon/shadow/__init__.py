"""Shadow models: copies of the target's recipe, trained on rows that we know, so that we can watch what training does.

`masks` decides which shadow is trained on which row; `pool` trains what the store does not hold yet, in batches, and
keeps the models' answers. The answers serve every attack.
"""
