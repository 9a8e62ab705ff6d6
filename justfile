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

# The ten longest files and functions.
shape:
    bash .ci/shape

# A mesh on this machine.
dev:
    cargo run --release -- dev
