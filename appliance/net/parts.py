"""What services and background tasks are made of. The composition root fills it; tests may give less."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from appliance.config import Settings
from appliance.directory.authenticate import Authenticator
from appliance.directory.domains import Organization
from appliance.net.limits import Limits
from appliance.net.listener import Network
from appliance.net.log import Quiet
from appliance.net.offers import Offers
from appliance.net.watch import Watches
from appliance.net.web import Route
from appliance.store.store import Store


@dataclass(slots=True)
class Parts:
    """What services are made of. `settings` is replaced when settings change: services that can take a
    change at once look at it each time."""

    store: Store
    settings: Settings
    organization: Organization
    watches: Watches
    network: Network
    authenticator: Authenticator
    verifiers: ThreadPoolExecutor
    """Threads for log-ons: a verifier takes 50 ms and 16 MiB, so that few run at once."""
    quiet: Quiet
    offers: Offers = field(default_factory=Offers)
    """What clients may be told of: every service, whichever process serves it."""
    routes: tuple[Route, ...] = ()
    """The rows of everything that is served over HTTP, where this process serves it."""

    def limits(self) -> Limits:
        """The limits of one service."""
        part = self.settings.connections
        return Limits(part.total, part.per_address, part.unsettled, part.unsettled_per_address)
