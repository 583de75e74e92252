"""The HTML report: answers to page records, page records to pages, pages to a folder.

Owns what stands on which page and how pages are linked. Must not ask a terminal, nor decide what a
verdict is.
"""

from kgraph.report.site.assembly import Chain, Way, make_site, standalone_path
from kgraph.report.site.links import LinkStyle
from kgraph.report.site.writing import Written, write_site

__all__ = [
    "Chain", "LinkStyle", "Way", "Written", "make_site", "standalone_path", "write_site",
]
