"""What the open source edition refuses."""

from ..protocol.replies import refuse
from ..wire.exchange import Exchange


def demand_pro(exchange: Exchange) -> None:
    """
    Let only Artifactory Pro answer this call.

    Raises:
        RefusalError: 400 with the open source edition's text.
    """
    if exchange.instance.edition == "oss":
        refuse(
            400,
            "This REST API is available only in Artifactory Pro (see: jfrog.com/artifactory/features). If you are"
            " already running Artifactory Pro please make sure your server is activated with a valid license key.\n",
        )
