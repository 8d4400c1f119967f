"""What checks are given: the configuration, the machine, the clock, and what a running desk says.

A device that the running desk holds cannot be opened a second time, and that is no fault: then its
word counts instead (`DeskSays`). Checks take all of this from here and nothing from elsewhere, so a
test gives them a machine of its own.
"""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from firmware.choice import ListChoice, chosen_lists, configured_clock, settings_if_any
from firmware.clock import kernel_says_synchronised, machine_clock
from firmware.doctor.desk_says import DeskSays, read_desk_says
from firmware.doctor.finding import CannotLook
from firmware.doctor.kernel import Kernel
from firmware.settings import Settings
from scanner.said import said
from scanner.sources.capture import Frame
from scanner.toml_errors import SettingsError
from scanner.watchlist.age import ClockReading
from scanner.watchlist.lists import Lists


@dataclass(frozen=True)
class Context:
    """One look at the device. `problems` are the configuration's, one a line; `clock_set` says
    whether the kernel's clock was set since boot; `frames` has the last frames of each camera
    that was opened."""

    config: Path
    configured: Settings | None
    clock: ClockReading
    clock_set: bool
    problems: tuple[str, ...] = ()
    desk: DeskSays | None = None
    kernel: Kernel = field(default_factory=Kernel)
    given_lists: Lists | None = None
    frames: dict[str, tuple[Frame, ...]] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        """The configuration. Raises CannotLook."""
        if self.configured is None:
            raise CannotLook(said("there is no configuration that says what is to be there"))
        return self.configured

    @cached_property
    def chosen(self) -> ListChoice:
        """The folders of the lists and of their keys."""
        return chosen_lists(None, None, self.settings)

    @cached_property
    def lists(self) -> Lists:
        """The lists: the desk's own ones within the desk."""
        return self.given_lists or self.chosen.lists()


def context_of(config: Path, kernel: Kernel | None = None) -> Context:
    """What a command finds at the configuration in `config`; one that cannot be used is itself
    something to be found."""
    machine = kernel or Kernel()
    problems: tuple[str, ...] = ()
    try:
        settings = settings_if_any(config)
    except SettingsError as error:
        settings, problems = None, tuple(str(problem) for problem in error.problems)
    clock = machine_clock() if settings is None else configured_clock(settings).reading()
    return Context(
        config=config,
        configured=settings,
        clock=clock,
        clock_set=kernel_says_synchronised(),
        problems=problems,
        desk=read_desk_says(settings, machine) if settings is not None else None,
        kernel=machine,
    )
