"""From a source's settings to the source itself."""

from collections.abc import Callable, Iterable
from datetime import date

from firmware.settings import AnySource, CameraSource, FolderSource, RpicamSource, SerialSource
from scanner.sources.camera import Camera, FrameStream, RpicamStream, V4l2Stream
from scanner.sources.capture import Source
from scanner.sources.replay import Replay
from scanner.sources.serial_port import SerialScanner


def open_source(
    settings: AnySource,
    today: Callable[[], date],
    is_badge: Callable[[str], bool] = lambda text: False,
) -> Source:
    """The source that `settings` describe. Opens nothing yet: that is the source's own affair, and
    a device that is not there shows in its health. `today` is the device's own date: a machine
    that woke in 1970 knows better. `is_badge` takes what a scanner read if it is an officer's
    badge, and says whether it was."""
    match settings:
        case FolderSource():
            return Replay([settings.path], name=settings.name, loop=settings.loop)
        case SerialSource():
            return SerialScanner(
                settings.name,
                settings.port,
                settings.family,
                baud=settings.baud,
                today=today,
                is_no_document=is_badge,
            )
        case CameraSource() | RpicamSource():
            return Camera(settings.name, open_stream(settings))


def open_stream(settings: CameraSource | RpicamSource) -> FrameStream:
    """A camera's frames as `settings` describe them; it opens nothing yet either."""
    size = (settings.width, settings.height, settings.fps)
    if isinstance(settings, CameraSource):
        return V4l2Stream(settings.device, *size)
    return RpicamStream(settings.command, *size)


def read_now(sources: Iterable[Source]) -> None:
    """Has every device that can be asked read what lies there, also what it has read already."""
    for source in sources:
        if isinstance(source, Camera | SerialScanner):
            source.trigger()
