"""
What faults remember between requests.

Rule: memories belong to one service and are discarded with it.
"""

from collections import Counter
from weakref import WeakKeyDictionary

from ..service.service import Service

_counts: "WeakKeyDictionary[Service, Counter[tuple[str, str]]]" = WeakKeyDictionary()


def times_before(service: Service, fault: str, key: str) -> int:
    """How often this function was called with the same arguments before."""
    counts = _counts.setdefault(service, Counter())
    counts[fault, key] += 1
    return counts[fault, key] - 1
