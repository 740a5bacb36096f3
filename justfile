# What a contributor does. CI runs ./test.sh, which says the same.

# List the recipes.
default:
    @just --list

# Format, lints, documents.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" cargo doc --workspace --no-deps --document-private-items --locked

# Every test, or those whose name holds FILTER.
test FILTER="":
    cargo nextest run --workspace --locked --no-fail-fast {{FILTER}}

# Kill a node so often, at random moments (slow: about a second each).
kills COUNT="1000":
    WKSBM_KILLS={{COUNT}} WKSBM_LIVE_KILLS={{COUNT}} cargo nextest run --profile long --locked -p cli --test kill --no-capture

# Networks of the real binary in namespaces (Linux, as root), or those whose name holds FILTER.
lab FILTER="":
    cargo build --locked -p cli
    WKSBM_LAB_REQUIRED=1 cargo nextest run --locked -p tests --test lab --no-capture {{FILTER}}

# libFuzzer over every decoder of foreign bytes, SECONDS each, or over TARGETS (cargo install --locked cargo-fuzz).
fuzz SECONDS="10" *TARGETS="":
    tests/fuzz/run.sh {{SECONDS}} {{TARGETS}}

# The long run before a release: ten million executions of each target, or of TARGETS.
fuzz-long *TARGETS="":
    WKSBM_FUZZ_RUNS=10000000 nice -n 19 tests/fuzz/run.sh 0 {{TARGETS}}

# The models with longer histories: all of DEEDS deeds (3: an hour or two, 4: days), and many proptest cases.
models DEEDS="3":
    WKSBM_DEEDS={{DEEDS}} WKSBM_HISTORIES=100000 PROPTEST_CASES=5000 cargo nextest run --locked -p tests --test models --no-capture

# Disks that are cut off, full, failing or read-only, at length (Linux, as root): CUTS power cuts, and every
# single call of a save that fails in turn.
faults CUTS="500":
    cargo build --locked -p cli
    WKSBM_LAB_REQUIRED=1 WKSBM_LAB_CUTS={{CUTS}} WKSBM_LAB_FAULTS=all cargo nextest run --profile long --locked -p tests --test lab \
        --no-capture -E 'test(scenes::power) | test(scenes::errors) | test(scenes::space) | test(scenes::stick) | test(scenes::clock)'

# A village's node on half a gigabyte and half a core, with an optimized binary.
board EDITS="300":
    cargo build --release --locked -p cli
    WKSBM_LAB_REQUIRED=1 WKSBM_LAB_BOARD_EDITS={{EDITS}} WKSBM_BINARY="${CARGO_TARGET_DIR:-$PWD/target}/release/wksbm" \
        cargo nextest run --profile long --locked -p tests --test lab --no-capture -E 'test(scenes::board)'

# The binary for 64-bit Arm boards: built here, its tests in an emulator, one node on both machines.
aarch64 STEP="":
    ./.ci/aarch64 {{STEP}}

# Renew the document of the declarations.
schema:
    cargo run -q --locked -p crdt-schema --example schema > docs/schema.md

# Renew the description of the local API.
openapi:
    cargo run -q --locked -p cli --example openapi > docs/openapi.json

# Every measure, as a table: `just bench`, `just bench --largest`, `just bench --json ingest`.
bench *ARGS:
    cargo run --release --locked -p tests --bin bench -- {{ARGS}}

# Whole nodes in virtual time: `just sim --seeds 1000`, `just sim --plants`, `just sim --nodes 6000 --days 30 --tell`.
sim *ARGS:
    cargo run --profile sim --locked -p tests --bin sim -- {{ARGS}}

# Renew the committed run of the bench, figures and plots, or some of its parts: `just bench-plots rate meet`.
bench-plots *ARGS:
    cargo run --release --locked -p tests --bin bench -- --plots docs/bench {{ARGS}}

# What CI leaves out: links watched for minutes, the whole province (Linux, as root). One at a time
# in a network of its own, for one of them counts every byte of the loopback.
slow:
    cargo nextest run --release --locked --no-run -p node
    unshare -n sh -c 'ip link set lo up; cargo nextest run --release --locked --offline -p node --run-ignored only -j1'

# As CI does, on whatever lies in this folder.
ci:
    ./.ci/run

# Licences, sources, second versions (cargo install --locked cargo-deny).
deny:
    cargo deny --locked check bans licenses sources

# The package as it is released.
release:
    cargo build --profile dist --locked --bin wksbm
