from .moodle import gift as gift
from .pages import notebook_page as notebook_page
from .pages import plan_tables as plan_tables
from .slides import slide_copy as slide_copy
from .slides import write_slides as write_slides
