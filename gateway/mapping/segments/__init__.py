"""Maps of X12 and EDIFACT: rules that hold between the children of loops and the fields of a document, both ways."""
