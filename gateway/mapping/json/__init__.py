"""Maps of JSON bodies: members and the fields of a document, both ways."""
