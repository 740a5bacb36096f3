#!/usr/bin/env bash
# Everything that must hold, on a bare Debian machine with Rust: format, lints, tests, documents.
# A step that fails does not stop the next. The last line is "N passed, N failed": every test
# counts one, and so does every other step. The exit code is 0 only when none failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-never}"
passed=0
failed=0
log="$(mktemp)"
trap 'rm -f "$log"' EXIT

say() { printf '\n== %s\n' "$*" >&2; }

have() { command -v "$1" >/dev/null 2>&1; }

# zstd and blake3 hold C and assembly: a bare machine may have no compiler for them.
need_compiler() {
    have cc && return
    say "installing a C compiler"
    local root=()
    [ "$(id -u)" -eq 0 ] || root=(sudo)
    "${root[@]}" apt-get update
    "${root[@]}" apt-get install -y --no-install-recommends gcc libc6-dev
}

# rust-toolchain.toml names the release we lint with. A machine that neither has it under that
# name nor can fetch it may still hold one that is new enough.
need_rust() {
    if ! have cargo && [ -x "$HOME/.cargo/bin/cargo" ]; then
        PATH="$HOME/.cargo/bin:$PATH"
    fi
    have cargo || { echo "cargo is missing: install Rust (https://rustup.rs), then run this again" >&2; exit 1; }
    cargo --version >&2 || {
        export RUSTUP_TOOLCHAIN=stable
        cargo --version >&2
    }
    cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
    cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
}

# check NAME COMMAND...: one step that counts one.
check() {
    local name="$1"
    shift
    say "$name"
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $name" >&2
    fi
}

# Adds up "test result:" (cargo test) and "Summary" (nextest) lines of the log.
count_tests() {
    local good bad
    read -r good bad < <(awk '
        /^test result:/ { good += $4; bad += $6 }
        /^ *Summary \[/ {
            for (i = 2; i <= NF; i++) {
                word = $i; sub(/[,(;].*/, "", word)
                if (word == "passed") good += $(i - 1)
                if (word == "failed" || word ~ /^timed/) bad += $(i - 1)
            }
        }
        END { print good + 0, bad + 0 }' "$log")
    passed=$((passed + good))
    failed=$((failed + bad))
    counted_failed="$bad"
}

# tests NAME COMMAND...: a test runner. One that fails without naming a failed test (it did not
# build, it was killed) counts one failure, so that it can never pass for green.
tests() {
    local name="$1" ended=0
    shift
    say "$name"
    "$@" 2>&1 | tee "$log" >&2 || ended=1
    count_tests
    if [ "$ended" -ne 0 ]; then
        echo "FAILED: $name" >&2
        [ "$counted_failed" -gt 0 ] || failed=$((failed + 1))
    fi
}

need_compiler
need_rust

check "format" cargo fmt --all --check
check "lints" cargo clippy --workspace --all-targets --locked -- -D warnings
if have cargo-nextest; then
    tests "tests" cargo nextest run --workspace --locked --no-fail-fast --no-tests=pass
else
    tests "tests" cargo test --workspace --all-targets --locked --no-fail-fast
fi
tests "examples in the documents" cargo test --workspace --doc --locked --no-fail-fast
# Private items are documented too, for whoever works here; so a public page may lead to one.
check "documents" env RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" \
    cargo doc --workspace --no-deps --document-private-items --locked
if have cargo-deny; then
    # The advisory database is not fetched: this must also run where only a registry is reached.
    check "licences and sources" cargo deny --locked check bans licenses sources
fi

printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
