# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, freethreading_compatible=True, embedsignature=False
"""The loops of ``_kernels``, compiled for processors of the level x86-64-v3."""

include "_kernels.pyx"
