"""Measure, cut and quote text."""
