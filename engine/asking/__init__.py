"""Questions that a page asks and waits for, and their typed answers.

`questions` and `answers` say what may be asked and what comes back, `keeping` keeps it on disk; these import
no torch. `computing` names the function that answers each question: `rest` about a model's clean samples,
`ladder` and `embedding_ladder` about one attacked sample, `controls` beside it, `attacked` about a finished
attack, `maps` on a UMAP, `views` one by one. `shipping` makes what comes with the zoo.
"""
