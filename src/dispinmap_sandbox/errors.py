"""The error for what the sandbox does not let a person do."""

from dispinmap.errors import DisPinMapError


class SandboxError(DisPinMapError):
    """The person tried something that Discord or Pinball Map would refuse too. The page shows them this text."""
