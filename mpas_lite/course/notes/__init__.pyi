from .reading import Discussion as Discussion
from .reading import Misconception as Misconception
from .reading import Notes as Notes
from .reading import Question as Question
from .reading import read_notes as read_notes
from .reading import read_toml as read_toml
