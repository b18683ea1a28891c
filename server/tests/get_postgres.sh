#!/bin/sh
# Make sure that the tests have their PostgreSQL. Without it they run on SQLite only; in CI that fails the run.
set -eu

there() { command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; }
there && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing PostgreSQL for the tests."
    log=$(mktemp)
    export DEBIAN_FRONTEND=noninteractive
    if apt-get update >"$log" 2>&1 && apt-get install -y --no-install-recommends postgresql >>"$log" 2>&1; then
        rm -f "$log"
        exit 0
    fi
    echo "PostgreSQL could not be installed; the end of what apt-get said:" >&2
    tail -n 20 "$log" >&2
    rm -f "$log"
fi

if [ "${CI:-}" = true ]; then
    echo "CI needs PostgreSQL for the tests." >&2
    exit 1
fi
echo "No PostgreSQL: the tests on it will be skipped. To run them: apt-get install postgresql (as root)."
