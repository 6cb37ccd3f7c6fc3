"""Maps of CSV files with a header row: columns and the fields of documents, both ways."""
