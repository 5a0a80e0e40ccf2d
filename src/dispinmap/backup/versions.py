"""The versions of Litestream that we know. The only module of the backup that imports `litestream03`."""

from collections.abc import Mapping
from typing import Final

from dispinmap.backup.litestream.dialect import Dialect
from dispinmap.backup.litestream03.dialect import Litestream03
from dispinmap.backup.litestream03.formats import refuse_mixed_formats
from dispinmap.backup.litestream05.dialect import Litestream05
from dispinmap.backup.models import Format

DIALECTS: Final[Mapping[Format, Dialect]] = {Format.V0_3: Litestream03(), Format.V0_5: Litestream05()}
INSTALLED_BY_DEFAULT: Final = Format.V0_3

__all__ = ["DIALECTS", "INSTALLED_BY_DEFAULT", "refuse_mixed_formats"]
