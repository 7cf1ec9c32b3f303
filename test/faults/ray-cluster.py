"""A Ray cluster of two nodes on this machine, for a test: prints its address, ends when stdin does."""
import os
import sys

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
import ray  # noqa: E402
from ray.cluster_utils import Cluster  # noqa: E402

node = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}
cluster = Cluster(initialize_head=True, head_node_args=node)
cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20)
cluster.wait_for_nodes()
print(f"READY {cluster.address}", flush=True)
sys.stdin.read()
cluster.shutdown()
os._exit(0)
