#!/usr/bin/env bash
# libFuzzer over every target, or those that are named: tests/fuzz/run.sh SECONDS [TARGET...]
# With WKSBM_FUZZ_RUNS=N each target ends after N executions instead; with WKSBM_FUZZ_BYTES=N no
# input is longer than that, where a target allows longer ones. With WKSBM_FUZZ_PLAIN=1 what the code
# compares is not looked at, and inputs are chosen evenly: fewer hints and less work an execution, for a
# corpus that a run with hints has grown. What is found stays below CORPUS
# (target/fuzz-corpus unless set) for the next time. The last line of each target is
# "fuzz NAME: N executions, edges E, features F". Exit 1 when a target failed, 3 when libFuzzer
# cannot be had here: the same targets are then tried by `cargo test -p tests --test models`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

seconds="${1:?seconds a target}"
shift
folder="${CARGO_TARGET_DIR:-target}"
corpus="${CORPUS:-$folder/fuzz-corpus}"
host="$(rustc -vV | sed -n 's/^host: //p')"
export RUSTC_BOOTSTRAP=1 # cargo-fuzz asks for flags that a stable compiler hides

cargo fuzz --version >&2 || exit 3
command -v c++ >/dev/null || { echo "no C++ compiler" >&2; exit 3; }
# Without a sanitizer: our code has no `unsafe`; overflow and debug checks are on.
built="$folder/fuzz"
# What runs for less than building it well would take is built in half the time instead.
optimized=(-O)
profile=release
if [ -z "${WKSBM_FUZZ_RUNS:-}" ] && [ "$seconds" -le 30 ]; then
    optimized=(--dev)
    profile=debug
fi
hints=()
choice=()
if [ -n "${WKSBM_FUZZ_PLAIN:-}" ]; then
    built="$folder/fuzz-plain"
    hints=(--no-trace-compares)
    choice=(-entropic=0)
fi
CARGO_TARGET_DIR="$built" cargo fuzz build "${optimized[@]}" --fuzz-dir tests/fuzz --sanitizer none "${hints[@]}" >&2 || exit 1
binary="$built/$host/$profile/foreign"

# Each target with the bytes of its longest input: what is longer would count and try nothing.
read -r -a known < <(WKSBM_FUZZ=? "$binary" 2>&1 | sed -n 's/.*one of: //p')
declare -A longest
for pair in "${known[@]}"; do longest["${pair%=*}"]="${pair#*=}"; done
names=("$@")
[ "${#names[@]}" -gt 0 ] || names=("${known[@]%=*}")

failed=0
for name in "${names[@]}"; do
    [ -n "${longest[$name]:-}" ] || { echo "no target $name; there are: ${known[*]%=*}" >&2; exit 1; }
    mkdir -p "$corpus/$name" "$corpus/seeds/$name"
    log="$corpus/$name.log"
    end=("-max_total_time=$seconds")
    [ -z "${WKSBM_FUZZ_RUNS:-}" ] || end=("-runs=$WKSBM_FUZZ_RUNS")
    if ! WKSBM_FUZZ="$name" WKSBM_FUZZ_SEEDS="$corpus/seeds/$name" "$binary" "${end[@]}" \
        "${choice[@]}" -rss_limit_mb=1024 -timeout=20 -print_final_stats=1 -max_len="${WKSBM_FUZZ_BYTES:-${longest[$name]}}" \
        -artifact_prefix="$corpus/$name." "$corpus/$name" "$corpus/seeds/$name" >"$log" 2>&1; then
        failed=1
        tail -30 "$log" >&2
        echo "FAILED: fuzz $name" >&2
    fi
    awk -v name="$name" '
        / cov: / { for (i = 1; i < NF; i++) { if ($i == "cov:") edges = $(i + 1); if ($i == "ft:") features = $(i + 1) } }
        /stat::number_of_executed_units/ { runs = $2 }
        END { printf "fuzz %s: %d executions, edges %d, features %d\n", name, runs, edges, features }' "$log"
done
exit "$failed"
