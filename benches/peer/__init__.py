"""The workloads of src/workload for Python's libraries, file by file."""
