from .children import be_a_child as be_a_child
from .children import python_command as python_command
from .devices import check_devices as check_devices
from .devices import pick_device as pick_device
from .stopping import defer_interrupt as defer_interrupt
from .stopping import end_with_parent as end_with_parent
