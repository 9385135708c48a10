"""Graphs and boxes as text, SVG, DOT and Mermaid."""
