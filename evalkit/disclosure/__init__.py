"""What may leave the room: decided over a whole edition, then applied to each result."""

from evalkit.disclosure.deciding import FEWER, Family, decide, keep
from evalkit.disclosure.releasing import release
from evalkit.disclosure.rows import WITHHELD

__all__ = ["FEWER", "WITHHELD", "Family", "decide", "keep", "release"]
