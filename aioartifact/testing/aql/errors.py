"""The one error of a query: what the server answers with status 400."""


class AQLError(Exception):
    """
    The query is refused.

    Attributes:
        message: Text of the answer, as the server words it; sent bare, not as JSON.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
