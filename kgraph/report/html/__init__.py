"""The HTML report: answers to page records, page records to pages, pages to a folder.

Owns what stands on which page and how pages are linked. It decides no verdict and knows no
terminal.
"""

from kgraph.report.code_links import LinkStyle
from kgraph.report.html.site import make_site, make_standalone_page
from kgraph.report.html.writing import SiteChanges, refuse_folder, write_site

__all__ = [
    "LinkStyle",
    "SiteChanges",
    "make_site",
    "make_standalone_page",
    "refuse_folder",
    "write_site",
]
