"""Data-parallel training over single-threaded processes: on few shared cores this beats threads, whose barriers wait for the slower core."""
import os
import torch
import torch.distributed as dist
import torch.multiprocessing as mp


def launch(worker, args):
    """Run worker(rank, args) in args.world processes. They are forked, so that each shows this command's name and can be found and paused by it."""
    args.launcher = os.getpid()
    if args.world > 1:
        mp.start_processes(worker, (args,), nprocs=args.world, start_method="fork")
    else:
        worker(0, args)


def join(rank, args):
    torch.set_num_threads(1)
    try:
        os.nice(max(0, 19 - os.nice(0)))
        if os.getsid(0) == getattr(args, "launcher", None):  # nice alone counts only inside one session's group; a session that others use too keeps its own
            with open("/proc/self/autogroup", "w") as file:
                file.write(os.environ.get("MINI_GROUP", "19"))
    except OSError:
        pass
    if args.world > 1:
        dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{args.port}", rank=rank, world_size=args.world)


def same(value, world):
    """Rank 0's number, in every process."""
    t = torch.tensor(float(value), dtype=torch.float64)
    if world > 1:
        dist.broadcast(t, 0)
    return t.item()


def average_gradients(params, world):
    if world == 1:
        return
    grads = [p.grad if p.grad is not None else torch.zeros_like(p) for p in params]
    flat = torch.cat([g.reshape(-1) for g in grads])
    dist.all_reduce(flat)
    flat /= world
    offset = 0
    for p, g in zip(params, grads):
        p.grad = flat[offset:offset + g.numel()].view_as(g).clone(memory_format=torch.preserve_format) if p.grad is None else p.grad.copy_(flat[offset:offset + g.numel()].view_as(g))
        offset += g.numel()


class Average:
    """Exponential moving average of a state dict."""
    def __init__(self, state, decay):
        self.state, self.decay, self.steps = {k: v.detach().clone() for k, v in state.items()}, decay, 0

    @torch.no_grad()
    def update(self, state):
        self.steps += 1
        d = min(self.decay, self.steps / (self.steps + 10))
        for k, v in state.items():
            if v.is_floating_point():
                self.state[k].lerp_(v, 1 - d)
            else:
                self.state[k].copy_(v)


def save(path, **content):
    torch.save(content, path + ".tmp")
    os.replace(path + ".tmp", path)


def rate(base, elapsed, budget, step, warm=50, tail=0.2):
    """Learning rate: warm-up in steps, flat, then a linear fall over the last part of the time budget."""
    left = max(0.0, 1 - elapsed / budget)
    return base * min(1, (step + 1) / warm) * max(0.03, min(1, left / tail))
