"""Runs command lines as Ray tasks. The first line on stdin is the job, one JSON object; each line on stdout is one, too, and tells what happened. When stdin ends, so does everything else.

Job: {"address": "auto" or host:port, "cpus": per task, "retries": n, "cwd": folder, "tasks": [{"name": text, "argv": [program, ...]}]}
Told: {"event": "joined", "nodes": n, "cpus": n}, {"event": "done", "name", "node", "seconds", "tries"}, {"event": "again", "name", "why"}, and for what ended the run {"event": "failed", "line": one line}.
"""
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time

GIVEN_UP = 130


def tell(**what) -> None:
    print(json.dumps(what), flush=True)


def fail(line: str) -> None:
    tell(event="failed", line=" ".join(line.split()))
    sys.exit(1)


class Killed(Exception):
    """The command was ended from outside: worth another try."""


def die_with_parent() -> None:
    # Linux: a worker that is killed takes its command along; elsewhere the command runs to its end, which does no harm, as files are whole or absent.
    try:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    except (AttributeError, OSError):
        pass


def run(argv: list, cwd: str) -> dict:
    """One task, on whichever node: the command to its end. A fault that it found itself is an answer, not a reason to try again."""
    started = time.monotonic()
    try:
        child = subprocess.Popen(argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=die_with_parent if os.name == "posix" else None)
    except OSError as error:
        return {"line": f"{argv[0]} in {cwd}: could not be started on {os.uname().nodename} ({error.strerror}); each node needs the same folders", "seconds": 0.0}
    last = b""
    for line in child.stderr:
        last = line.strip() or last
    code = child.wait()
    # 128 + n is how a shell or npm passes on that its child was ended by signal n.
    if code < 0 or code > 128:
        raise Killed(f"ended by signal {-code if code < 0 else code - 128}")
    return {"line": None if code == 0 else last.decode("utf-8", "replace") or f"ended with {code}", "seconds": time.monotonic() - started}


def watch_stdin() -> None:
    sys.stdin.read()
    os._exit(GIVEN_UP)


def main() -> None:
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=watch_stdin, daemon=True).start()
    try:
        import ray
    except ImportError:
        fail(f"--ray: {sys.executable} has no package ray; install it with `{sys.executable} -m pip install -r {os.path.join(os.path.dirname(os.path.abspath(__file__)), 'requirements.txt')}`, or name another Python with --python")
    try:
        # Nothing but the tasks themselves is sent: no copy of a folder, no network but the cluster's.
        ray.init(address=job["address"], logging_level="ERROR", log_to_driver=False, include_dashboard=None)
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        fail(f"--ray {job['address']}: no Ray cluster answers ({str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__}); `ray start --head` starts one")
    nodes = [node for node in ray.nodes() if node["Alive"]]
    tell(event="joined", nodes=len(nodes), cpus=int(ray.cluster_resources().get("CPU", 0)))
    if ray.cluster_resources().get("CPU", 0) < job["cpus"]:
        fail(f"--ray {job['address']}: the cluster has {ray.cluster_resources().get('CPU', 0):g} processors, a task wants {job['cpus']}")

    # Tries are counted here and not by Ray, so that each of them is told.
    task = ray.remote(num_cpus=job["cpus"], max_retries=0, scheduling_strategy="SPREAD")(run)
    running = {}
    tries = {}

    def start(one: dict) -> None:
        tries[one["name"]] = tries.get(one["name"], 0) + 1
        running[task.remote(one["argv"], job["cwd"])] = one

    waiting = list(job["tasks"])
    # As many at a time as the cluster can take up, and some to spare: a million photos must not become ten thousand waiting tasks.
    width = max(8, 2 * int(ray.cluster_resources().get("CPU", 1)))
    while waiting or running:
        while waiting and len(running) < width:
            start(waiting.pop(0))
        for reference in ray.wait(list(running), num_returns=1)[0]:
            one = running.pop(reference)
            try:
                result = ray.get(reference)
            except (ray.exceptions.RayTaskError, ray.exceptions.RayError) as error:
                cause = getattr(error, "cause", None)
                why = str(cause) if isinstance(cause, Killed) else type(error).__name__
                if tries[one["name"]] > job["retries"]:
                    fail(f"{one['name']}: given up after {tries[one['name']]} tries ({why})")
                tell(event="again", name=one["name"], why=why)
                start(one)
                continue
            if result["line"] is not None:
                fail(f"{one['name']}: {result['line']}")
            tell(event="done", name=one["name"], seconds=round(result["seconds"], 3), tries=tries[one["name"]])


if __name__ == "__main__":
    main()
    # Ray's own threads would keep the process for a while.
    sys.stdout.flush()
    os._exit(0)
