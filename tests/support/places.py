"""Where the files that tests read are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "fixtures"
GOLDEN = ROOT / "tests" / "golden"
NOTES = ROOT / "tests" / "check" / "notes.md"
