"""What every request passes first: how often a client may ask, and that no answer is kept on its way."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from django.http import HttpRequest, HttpResponse
from django.urls import get_resolver
from django.utils.cache import patch_cache_control


@dataclass
class Bucket:
    """Tokens of each client: `most` at first, `rate` more a second; a request takes some. Clients asked long ago go."""

    most: float
    rate: float
    now: Callable[[], float] = time.monotonic
    clients: int = 20_000
    _held: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, client: str, size: float = 1.0) -> float:
        """0 if the request may go on; else the seconds after which it may."""
        with self._lock:
            now = self.now()
            tokens, then = self._held.pop(client, (self.most, now))
            tokens = min(self.most, tokens + (now - then) * self.rate)
            wait = max(0.0, (size - tokens) / self.rate)
            self._held[client] = (tokens if wait else tokens - size, now)
            while len(self._held) > self.clients:
                self._held.popitem(last=False)
        return wait


PAGES = Bucket(most=120, rate=15)
"""Of any page. A practice behind one address stays within it."""
WORK = Bucket(most=20, rate=0.5)
"""Of what takes seconds of a processor: forecasts, reports."""
WORKING = ("/forecast", "/file/")


def client_of(request: HttpRequest) -> str:
    """The address, of IPv6 the network: one person has all of it."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    try:
        given = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((given, 64), strict=False)) if given.version == 6 else address


def guard(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """The middleware."""

    def guarded(request: HttpRequest) -> HttpResponse:
        client = client_of(request)
        wait = PAGES.take(client)
        if not wait and request.method == "POST" and request.path.startswith(WORKING):
            wait = WORK.take(client)
        say: Callable[..., HttpResponse] = get_resolver().resolve_error_handler(
            429
        )  # in each site's own frame
        response = say(request, wait) if wait else get_response(request)
        patch_cache_control(response, no_store=True)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        return response

    return guarded
