from .main_job import run as run
from .report import write_report as write_report
from .reproduction import reproduce as reproduce
from .settings import ReproduceSettings as ReproduceSettings
from .settings import RunSettings as RunSettings
from .tables import TABLES as TABLES
from .tables import Row as Row
from .tables import format_table as format_table
