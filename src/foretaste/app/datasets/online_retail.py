"""Online Retail: the purchases of a British gift shop, in the columns of the UCI file."""

from pathlib import Path

import polars as pl

from foretaste.adapters.files.columns import as_text
from foretaste.adapters.files.event_table import Events
from foretaste.adapters.files.reading import read_events
from foretaste.adapters.files.rows import existing_file, file_format
from foretaste.adapters.files.timestamps import to_micros
from foretaste.domain.errors import InvalidInputError
from foretaste.domain.item import Item

COLUMNS = {
    "invoice": ("InvoiceNo", "Invoice"),
    "item_id": ("StockCode",),
    "title": ("Description",),
    "quantity": ("Quantity",),
    "timestamp": ("InvoiceDate",),
    "price": ("UnitPrice", "Price"),
    "user_id": ("CustomerID", "Customer ID"),
}
LAYOUTS = ("%m/%d/%Y %H:%M", "%m/%d/%y %H:%M", "%d/%m/%Y %H:%M")
PRODUCT_CODE = r"^\d{5}"


def online_retail(path: str | Path) -> Events:
    """Return the purchases as events, oldest first, with the products as items.

    `path` is the file of the UCI Machine Learning Repository (doi 10.24432/C5BW33, CC BY 4.0) as CSV or
    Parquet, with the columns InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice and
    CustomerID. Cancellations, rows without a customer, without a price or quantity above zero, and codes
    that are no product (postage, fees) are left out and counted in `skipped`. One event is one product
    on one invoice: its value is the quantity, its session the invoice. A product's title is its most
    frequent description, its `price` the median.

    Raises `InvalidInputError` where a column is missing or the dates cannot be read.
    """
    raw = _read(existing_file(Path(path)))
    lines = raw.select(_column(raw, field).alias(field) for field in COLUMNS)
    typed = lines.with_columns(
        _moments(lines["timestamp"]),
        pl.col("quantity", "price").cast(pl.Float64, strict=False),
        pl.col("title").str.strip_chars(),
        pl.col("user_id").str.strip_suffix(".0"),  # as spreadsheets save a number column with gaps
    )
    bought = typed.filter(
        pl.col("user_id").is_not_null()
        & pl.col("timestamp").is_not_null()
        & ~pl.col("invoice").str.starts_with("C")
        & pl.col("item_id").str.contains(PRODUCT_CODE)
        & (pl.col("quantity") > 0)
        & (pl.col("price") > 0)
    )
    grouped = bought.group_by("invoice", "user_id", "item_id", maintain_order=True).agg(
        pl.col("quantity").sum(), pl.col("timestamp").min()
    )
    table = grouped.rename({"invoice": "session_id"}).sort("timestamp", maintain_order=True)
    found = read_events(table, event_type="purchase")
    return Events(found.frame, _items(bought), skipped=raw.height - bought.height, rejected=found.rejected)


def _read(path: Path) -> pl.DataFrame:
    match file_format(path):
        case "csv":
            return pl.read_csv(path, infer_schema=False, encoding="utf8-lossy")
        case "parquet":
            return pl.read_parquet(path)
        case "jsonl":
            raise InvalidInputError(f"{path.name}: online_retail reads CSV or Parquet", field="path")


def _column(raw: pl.DataFrame, field: str) -> pl.Series:
    for name in COLUMNS[field]:
        if name in raw.columns:
            column = raw[name]
            return column if column.dtype.is_temporal() else as_text(column).str.strip_chars()
    raise InvalidInputError(
        f"the file has no column {COLUMNS[field][0]!r}; it has: {', '.join(raw.columns)}. "
        "Other layouts are read with ft.read_events and its columns= option",
        field="path",
    )


def _moments(written: pl.Series) -> pl.Series:
    """Return the invoice dates in microseconds: ISO 8601, else the layout that reads the most of them."""
    best = to_micros(written)
    for layout in LAYOUTS if written.dtype == pl.String else ():
        read = to_micros(written, layout)
        best = read if read.null_count() < best.null_count() else best
    if len(best) and best.null_count() == len(best):
        raise InvalidInputError(f"InvoiceDate {written[0]!r} is in no layout that is known", field="path")
    return best.rename("timestamp")


def _items(bought: pl.DataFrame) -> list[Item]:
    described = bought.group_by("item_id", maintain_order=True).agg(
        pl.col("title").drop_nulls().mode(maintain_order=True).first(), pl.col("price").median()
    )
    return [
        Item(item_id=item_id, title=title or "", attributes={"price": price})
        for item_id, title, price in described.sort("item_id").iter_rows()
    ]
