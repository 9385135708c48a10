"""From facts to something to read: a JSON document first, then pages, drawings, HTML and SARIF."""
