"""Files become ticks and samples on one clock: ``reader`` and ``probe`` read them, ``write`` and ``remux`` make them.

Nothing is imported here: the decoder process passes through this package and must start fast.
"""
