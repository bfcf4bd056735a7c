"""What a lecturer wants to know of each notebook: objectives, quiz, discussion, misconceptions; and plans of lectures.

The words are in TOML files, one for each notebook (``02.toml``), and nowhere else: the pages of the site, the notes in
the instructor's copies and Moodle's question bank are made from them (`mpas_lite.course.teaching`, `.grading`).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
