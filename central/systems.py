"""What the console's server answers to other systems, beside the console's own routes.

Each of these asks for a token of its own; none knows of sessions.
"""

from starlette.routing import BaseRoute, Mount

from central.api.app import PREFIX, api_app
from central.settings import ConsoleSettings
from central.store import Store


def ways(store: Store, settings: ConsoleSettings) -> list[BaseRoute]:
    """The ways in for other systems."""
    return [Mount(PREFIX, app=api_app(store, settings))]
