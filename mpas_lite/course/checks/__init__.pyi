from .exercises import Exercise as Exercise
from .exercises import check as check
from .exercises import exercise as exercise
from .exercises import grade as grade
from .exercises import of_notebook as of_notebook
from .exercises import verdict as verdict
from .judging import NotYet as NotYet
