# Sourced by the commands beside it: makes the Python environment in .venv and keeps it equal to a lock file.
#   prepare_environment requirements.lock     sets $python to the environment's Python, or ends with a sentence

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

is_recent() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for candidate in python3.13 python3.12 python3.11 python3 python; do
        if is_recent "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
}

make_environment() {
    system_python=$(find_python)
    if command -v uv >/dev/null 2>&1; then
        uv venv --quiet --allow-existing --python "${system_python:->=3.11}" .venv && return
    fi
    [ -n "$system_python" ] || fail \
        "Dispersed Web needs Python 3.11 or newer, and none was found on the PATH." \
        "Install it with your system's package manager (Debian, Ubuntu: apt install python3 python3-venv;" \
        "macOS: brew install python), or install uv, which brings its own, and run this command again."
    "$system_python" -c 'import ensurepip, venv' >/dev/null 2>&1 || fail \
        "$system_python cannot make virtual environments: its venv module is missing." \
        "On Debian and Ubuntu: apt install python$("$system_python" -c \
            'import sys; print("%d.%d" % sys.version_info[:2])')-venv. Then run this command again."
    "$system_python" -m venv .venv || fail "The Python environment could not be made in $(pwd)/.venv."
}

install_lock() {
    if command -v uv >/dev/null 2>&1; then
        uv pip install --quiet --compile-bytecode --python .venv/bin/python --require-hashes -r "$1" && return
        echo "uv could not install the packages; trying pip." >&2
        .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null 2>&1
    fi
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$1"
}

prepare_environment() {
    python=.venv/bin/python
    sum=$(cksum <"$1")
    if [ "$(cat ".venv/$1.sum" 2>/dev/null)" = "$sum" ] && is_recent "$python"; then
        return
    fi
    echo "Installing what $1 lists into .venv; this happens once." >&2
    is_recent "$python" || make_environment
    install_lock "$1" || fail "" \
        "The packages could not be installed; the lines above say why." \
        "Without a connection to a package index, point pip to a copy of it (PIP_INDEX_URL or PIP_FIND_LINKS)," \
        "then run this command again."
    printf '%s\n' "$sum" >".venv/$1.sum"
}
