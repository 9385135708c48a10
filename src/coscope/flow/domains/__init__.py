"""Domains: what the values of the abstract machine mean."""
