#!/bin/sh
# Make sure that the browser walks have their Chromium. Without it they are skipped; in CI that fails the run.
set -eu

chromium=/usr/bin/chromium
[ -x "$chromium" ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Chromium for the browser walks."
    log=$(mktemp)
    export DEBIAN_FRONTEND=noninteractive
    if apt-get update >"$log" 2>&1 && apt-get install -y --no-install-recommends chromium >>"$log" 2>&1; then
        rm -f "$log"
        exit 0
    fi
    echo "Chromium could not be installed; the end of what apt-get said:" >&2
    tail -n 20 "$log" >&2
    rm -f "$log"
fi

if [ "${CI:-}" = true ]; then
    echo "CI needs $chromium for the browser walks." >&2
    exit 1
fi
echo "No $chromium: the browser walks will be skipped. To run them: apt-get install chromium (as root)."
