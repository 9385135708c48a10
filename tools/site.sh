#!/usr/bin/env bash
# Builds the site from docs/, strictly, and checks every link of it.
#
#   tools/site.sh ENVIRONMENT     an environment with the packages of coscope[docs]
#
# The site is in .ci/work/site-pages; docs/internals/site.md says more.
set -euo pipefail
cd "$(dirname "$0")/.."
"$1/bin/zensical" build --clean --strict --config-file mkdocs.yml
"$1/bin/python" tools/site_links.py .ci/work/site-pages
