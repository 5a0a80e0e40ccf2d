"""What the sandbox does not let a person do."""

from dispinmap.errors import DisPinMapError


class SandboxError(DisPinMapError):
    """Something that Discord or Pinball Map would not allow either; the text is for the person at the page."""
