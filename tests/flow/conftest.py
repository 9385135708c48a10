"""Keep pytest out of the snippets: they are programs to compile, many of them for one version."""

collect_ignore_glob = ["goldens/*"]
