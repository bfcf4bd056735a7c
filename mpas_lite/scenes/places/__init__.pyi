from .place import Place as Place
from .registry import PLACES as PLACES
