from .clip import Clip as Clip
from .clip import clips_of as clips_of
from .images import read_image as read_image
from .images import write_image as write_image
from .masks import read_mask as read_mask
from .reader import read_video as read_video
from .video import Video as Video
