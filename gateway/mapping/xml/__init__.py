"""Maps of XML documents: elements and the fields of a document, both ways."""
