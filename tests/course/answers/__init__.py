"""What students hand in: right answers, written differently, and wrong ones with what each must hear.

A file for each notebook, with ``ANSWERS = {"02.1": ([right, ...], [(wrong, part of the sentence), ...])}`` and the
names that the notebook has defined where the exercise is asked.
"""
