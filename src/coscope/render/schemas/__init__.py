"""The forms of all JSON documents, as TypedDicts; schema.json and docs/schema.md come from here."""
