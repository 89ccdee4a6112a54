"""All workloads, by the names that `--only` takes; the order is that of src/workload/mod.rs."""

from peer import choose, gradient, index, network, overhead, regression, select, statistic

MASKED = [
    ("W1", select.above),
    ("W2", select.between),
    ("W3", choose.branches),
    ("W4", choose.masked_pictures),
    ("W4", choose.filled_pictures),
    ("W5", select.places),
    ("W5", select.boxes),
    ("W6", statistic.masked_mean),
    ("W6", statistic.masked_softmax),
    ("W9", gradient.masked_loss),
    ("W10", choose.assigned),
    ("W11", choose.functions),
]
SIZED = [
    ("W7", index.gathered_rows),
    ("W7", index.scattered_rows),
    ("W8", statistic.class_accuracy),
]
FIXED = [
    ("W12", overhead.ten_operations),
    ("W13", network.product),
    ("W13", network.training_step),
    ("W18", regression.huber_step),
]


def run_all(bench, sizes, densities):
    wanted = lambda table: [run for name, run in table if not bench.only or name in bench.only]
    for workload in wanted(MASKED):
        for size in sizes:
            for density in densities:
                workload(bench, size, density)
    for workload in wanted(SIZED):
        for size in sizes:
            workload(bench, size)
    for workload in wanted(FIXED):
        workload(bench)
