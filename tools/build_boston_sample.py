"""Build the sample of the Boston city folder: one month of 311 records, the needed columns only.

    uv run tools/build_boston_sample.py --source boston311_2011.parquet [--month 2011-07] [--city cities/boston]

The source is a table of Boston's 311 service requests with the columns of ``COLUMNS``; times are local wall clock.
Neither the street address nor the free text of the closure is taken along.
"""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

import polars as pl

COLUMNS = (
    "case_enquiry_id",
    "open_dt",
    "target_dt",
    "closed_dt",
    "ontime",
    "case_status",
    "case_title",
    "subject",
    "reason",
    "type",
    "department",
    "queue",
    "neighborhood",
    "latitude",
    "longitude",
    "source",
)


def sample(source: Path, month: str) -> pl.DataFrame:
    """The records opened in ``month`` (``YYYY-MM``), in the order they were opened."""
    first = date.fromisoformat(f"{month}-01")
    opened = pl.col("open_dt").dt
    rows = pl.read_parquet(source, columns=list(COLUMNS))
    return rows.filter((opened.year() == first.year) & (opened.month() == first.month)).sort(
        "open_dt", "case_enquiry_id"
    )


def main() -> None:
    """Read the arguments, write the sample."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--source", type=Path, required=True, help="parquet file of Boston 311 records")
    parser.add_argument("--month", default="2011-07", help="month to take, YYYY-MM")
    parser.add_argument("--city", type=Path, default=Path("cities/boston"), help="city folder to write into")
    given = parser.parse_args()
    rows = sample(given.source, given.month)
    path = given.city / "series" / f"boston311_{given.month}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.write_parquet(path, compression="zstd", compression_level=19)
    sys.stdout.write(f"{path}: {rows.height} rows, {path.stat().st_size // 1024} KB\n")


if __name__ == "__main__":
    main()
