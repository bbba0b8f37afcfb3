"""One keeper, many readers: `serve --workers N` over one home of files."""
