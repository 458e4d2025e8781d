"""How costs are compared: each side in a process of its own, by turns, as CPU seconds; medians and their ratios."""

import gc
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

ROUNDS = 9


def serve(tasks: Mapping[str, Callable[[], object]]) -> None:
    """Do the tasks that are asked for on standard input, as lines "name times"; answer with the CPU seconds of one."""
    gc.collect()
    gc.freeze()  # as our server does; it is as good for a peer
    for line in sys.stdin:
        name, times = line.split()
        started = time.process_time()
        for _time in range(int(times)):
            tasks[name]()
        print((time.process_time() - started) / int(times), flush=True)


class Worker:
    """A module that serves tasks, in a process of its own."""

    def __init__(self, module: str, *arguments: str) -> None:
        command = [sys.executable, "-m", module, "--serve", *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def cost(self, task: str, times: int) -> float:
        """Return the CPU seconds of the task, done so many times. Raise RuntimeError if the process has ended."""
        assert self.process.stdin
        assert self.process.stdout
        print(task, times, file=self.process.stdin, flush=True)
        if not (answer := self.process.stdout.readline()):
            raise RuntimeError(f"{self.process.args!r} ended while it did {task}")
        return float(answer)

    def end(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def machine() -> str:
    """Name what this was measured on, and what else it was doing."""
    told = Path("/proc/cpuinfo")
    names = [line for line in told.read_text().splitlines() if line.startswith("model name")] if told.exists() else []
    model = names[0].partition(": ")[2] if names else platform.machine()
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, load {load}"


def by_turns(costs: Mapping[str, Callable[[], float]], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Measure everything once in each round, after one round that does not count."""
    measured: dict[str, list[float]] = {name: [] for name in costs}
    for number in range(rounds + 1):
        for name, cost in costs.items():
            if number:
                measured[name].append(cost())
            else:
                cost()
    return measured


def ratio(measured: Mapping[str, list[float]], name: str, base: str) -> float:
    """Return the median of the ratios within each round."""
    return statistics.median(one / other for one, other in zip(measured[name], measured[base], strict=True))


def table(measured: Mapping[str, list[float]], base: str, unit: str = "µs") -> None:
    """Print the median of each and its ratio to the base."""
    scale = {"µs": 1e6, "ms": 1e3}[unit]
    for name in measured:
        cost = statistics.median(measured[name]) * scale
        print(f"{name:44} {cost:10.2f} {unit}   {ratio(measured, name, base):8.2f} x")
