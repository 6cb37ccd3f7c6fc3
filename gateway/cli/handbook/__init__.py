"""The implementation guide that a partner gets: gathered from agreement, guide and map, printed as HTML or Markdown.

`gather.book` makes the value, `html.page` and `markdown.page` print it; no step knows how the other works.
"""
