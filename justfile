# Recipes for people; CI runs the same scripts.

# Everything that CI runs.
ci:
    bash .ci/run

# Formatting and lints.
lint:
    bash .ci/lint

# All tests.
test:
    cargo test --workspace

# The simulator with more seeds: just seeds 5000
seeds count="2000":
    TRUNKLINE_SEEDS={{count}} cargo test -p trunkline-sim

# One seed again, with its trace.
seed number:
    TRUNKLINE_SEED={{number}} cargo test -p trunkline-sim --test seeds one_seed -- --nocapture

# The ten longest files and functions.
shape:
    bash .ci/shape

# A mesh on this machine.
dev:
    cargo run --release -- dev
