from .notes import Discussion as Discussion
from .notes import Misconception as Misconception
from .notes import Notes as Notes
from .notes import Question as Question
from .notes import read_notes as read_notes
