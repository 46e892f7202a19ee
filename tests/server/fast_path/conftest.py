import pytest
from foldin_server.settings import Transport

from server import live as live_module


@pytest.fixture(params=["grpcio", "native"])
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Transport:
    """Here every server has the fast path."""
    chosen: Transport = request.param
    monkeypatch.setattr(live_module, "transport", chosen)
    return chosen
