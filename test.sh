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
# Tests of the lab that could not be had here, each with a line why.
WKSBM_SKIPPED="$(mktemp)"
export WKSBM_SKIPPED
trap 'rm -f "$log" "$WKSBM_SKIPPED"' EXIT

say() { printf '\n== %s\n' "$*" >&2; }

# How long the step before took, of which nothing depends.
took() { printf -- '-- %s: %d s\n' "$1" "$((SECONDS - $2))" >&2; }

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

# The lab (tests/lab) makes networks of namespaces, and disks in files. Only root can;
# elsewhere, and where a tool cannot be had, its tests say so and end, or fail with WKSBM_LAB_REQUIRED=1.
need_lab_tools() {
    [ "$(id -u)" -eq 0 ] && have apt-get || return 0
    local tool missing=0
    for tool in ip ethtool nft ping python3 mkfs.ext4 mkfs.btrfs mkfs.exfat mount.exfat-fuse; do
        have "$tool" || missing=1
    done
    compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null || missing=1
    [ "$missing" -eq 1 ] || return 0
    say "installing the lab's tools"
    apt-get update && apt-get install -y --no-install-recommends \
        iproute2 ethtool nftables iputils-ping python3 libfaketime e2fsprogs btrfs-progs \
        exfatprogs exfat-fuse ||
        echo "the lab's tools could not be installed" >&2
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

# The pages are looked at in a real browser (tests/web). Only root on Debian installs it by itself;
# elsewhere those tests say what is missing and pass.
need_browser() {
    if ! have chromium || ! have chromedriver; then
        if [ "$(id -u)" -ne 0 ] || ! have apt-get; then
            say "no Chromium here: the pages are not tested"
            return
        fi
        say "installing Chromium"
        apt-get update && apt-get install -y --no-install-recommends \
            chromium chromium-driver fonts-noto-core || {
            say "Chromium could not be installed: the pages are not tested"
            return
        }
    fi
    need_axe
}

# axe-core (MPL-2.0) judges whether everybody can use a page. It is fetched, never kept in the tree.
need_axe() {
    local version=4.14.1 folder="${CARGO_TARGET_DIR:-target}/axe"
    [ -n "${WKSBM_AXE:-}" ] && return
    if [ ! -s "$folder/package/axe.min.js" ]; then
        have npm || { say "no npm here: axe-core is not asked"; return; }
        mkdir -p "$folder"
        (cd "$folder" && npm pack --silent "axe-core@$version" >/dev/null &&
            tar -xzf "axe-core-$version.tgz" package/axe.min.js) || {
            say "axe-core could not be fetched: it is not asked"
            return
        }
    fi
    WKSBM_AXE="$(cd "$folder" && pwd)/package/axe.min.js"
    export WKSBM_AXE
}

# libFuzzer (tests/fuzz) needs cargo-fuzz, half a minute of building, and a C++ compiler.
need_fuzz() {
    cargo fuzz --version >/dev/null 2>&1 || cargo install --locked cargo-fuzz ||
        say "cargo-fuzz could not be installed"
    have c++ && return
    [ "$(id -u)" -eq 0 ] && have apt-get || return 0
    say "installing a C++ compiler"
    apt-get update && apt-get install -y --no-install-recommends g++ || say "no C++ compiler"
}

# Ten seconds of libFuzzer a target. Where it cannot be had, the same targets were tried already, with
# mutations that nothing guides, by the tests above (tests/models/foreign.rs): that is said, not hidden,
# and fails where a lab is required.
fuzz() {
    local ended=0
    tests/fuzz/run.sh "${WKSBM_FUZZ_SECONDS:-10}" || ended=$?
    [ "$ended" -eq 3 ] || return "$ended"
    say "SKIPPED: libFuzzer cannot be had here; only unguided mutations were tried"
    [ "${WKSBM_LAB_REQUIRED:-}" != 1 ]
}

# check NAME COMMAND...: one step that counts one.
check() {
    local name="$1" began="$SECONDS"
    shift
    say "$name"
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $name" >&2
    fi
    took "$name" "$began"
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
    local name="$1" began="$SECONDS" ended=0
    shift
    say "$name"
    "$@" 2>&1 | tee "$log" >&2 || ended=1
    count_tests
    if [ "$ended" -ne 0 ]; then
        echo "FAILED: $name" >&2
        [ "$counted_failed" -gt 0 ] || failed=$((failed + 1))
    fi
    took "$name" "$began"
}

need_compiler
need_lab_tools
need_rust
need_browser
need_fuzz

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
check "format of the fuzzer" cargo fmt --manifest-path tests/fuzz/Cargo.toml --check
check "fuzzing" fuzz
if have cargo-deny; then
    # The advisory database is not fetched: this must also run where only a registry is reached.
    check "licences and sources" cargo deny --locked check bans licenses sources
else
    say "SKIPPED: licences and sources, for cargo-deny is not on this machine"
fi
# Networks of processes, and pages in a browser, skip themselves where they cannot be, and count as
# passed: that is said here.
sort "$WKSBM_SKIPPED" | uniq -c | while read -r tests why; do
    say "SKIPPED: $tests tests of the lab: $why"
done
have chromium && have chromedriver || say "SKIPPED: the pages, for there is no Chromium"

printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
