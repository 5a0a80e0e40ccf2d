"""Litestream's configuration: make it from the settings or read it from a file, and check it."""

from dispinmap.backup.configuration.checking import check
from dispinmap.backup.configuration.effective import configure, make_configuration, read_file, variables
from dispinmap.backup.configuration.findings import Finding, Severity
from dispinmap.backup.configuration.formats import formats_in, old_path, refuse_mixed_formats, stored_formats
from dispinmap.backup.configuration.locations import parse_replica_url, read_replica
from dispinmap.backup.configuration.masking import masked

__all__ = [
    "Finding",
    "Severity",
    "check",
    "configure",
    "formats_in",
    "make_configuration",
    "masked",
    "old_path",
    "parse_replica_url",
    "read_file",
    "read_replica",
    "refuse_mixed_formats",
    "stored_formats",
    "variables",
]
