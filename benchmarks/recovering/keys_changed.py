"""Keys that are changed while everything goes on."""

from pathlib import Path

from benchmarks.recovering.course import Course
from benchmarks.recovering.site import WITHIN_S, Site
from tests.delivery.both_ends import wait_for


def keys_changed(folder: Path, course: Course) -> None:
    """Central's signing key, a desk's keys and the broker's certificate are changed."""
    with Site(folder, 2) as site:
        with course.step("borderpost-central keys rotate"):
            site.central("keys", "rotate")
        with course.step("both desks hold the announced key (keys status)"):
            wait_for(lambda: site.central("keys", "status").count("holds it") == 2, WITHIN_S)
        with course.step("borderpost-central keys finish"):
            site.central("keys", "finish")
        desk = site.desks[0]
        with course.step("borderpost enrol --renew at a desk, and its restart"):
            desk.renew()
            desk.kill()
            desk.start()
        with course.step("borderpost-central broker config, and Mosquitto's restart"):
            site.configure_broker()
            site.stop("mosquitto")
            site.start_broker()
        for one in site.desks:
            one.scan()
        with course.step("an alert of each desk is acknowledged"):
            site.until_all_is_told()
        site.until_all_is_there()
        (alert,) = desk.alerts()
        site.answer(alert, desk)
        course.hold("the desk believes central's answer", desk.answers()[alert] == "confirmed")
