"""Exports a scenario, and runs its train.sh with a program in place of Python."""

import json
import os
import subprocess

# What the scripts read, as the machine may have it set.
VARIABLES = ("WORLD_SIZE", "CUDA_DEVICE_MAX_CONNECTIONS", "DATA_PATH", "RECIPE", "MODULE", "CONFIG")


def run(windtunnel, *arguments):
    return subprocess.run([windtunnel, *arguments], capture_output=True, text=True, check=False)


def differences(read, want):
    """What is not as it should be, a line each."""
    wrong = {name: (read.get(name, "absent"), plain(value)) for name, value in want.items()}
    return [f"{name} is {own}, not {value}" for name, (own, value) in wrong.items() if own != value]


def plain(value):
    """A value that survives JSON."""
    if isinstance(value, (bool, int, float, str, type(None))):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return str(value)


class Export:
    """The files of a scenario in a folder, or why the export refused it."""

    def __init__(self, windtunnel, folder, text, consumer):
        self.folder, self.plan, self.refused = folder, None, None
        file = folder / "scenario.toml"
        file.write_text(text)
        answer = run(windtunnel, "export", str(file), "--to", consumer, "--json")
        if answer.returncode != 0:
            self.refused = answer.stderr.strip()
            return
        simulated = run(windtunnel, "simulate", str(file), "--json")
        assert simulated.returncode == 0, simulated.stderr
        self.plan = json.loads(simulated.stdout)["plan"]
        for one in json.loads(answer.stdout)["files"]:
            (folder / one["name"]).write_text(one["text"])
            (folder / one["name"]).chmod(0o755 if one["executable"] else 0o644)

    def is_limit(self):
        """Whether the consumer is at fault, not the scenario."""
        return any(text in self.refused for text in ("has no way to say", "does not run"))

    def arguments(self, **variables):
        """What train.sh hands to Python, and CUDA_DEVICE_MAX_CONNECTIONS as it is then."""
        told = self.folder / "told"
        stand_in = self.folder / "bin" / "python"
        stand_in.parent.mkdir(exist_ok=True)
        stand_in.write_text(
            "#!/bin/sh\nprintf '%s\\0' \"${CUDA_DEVICE_MAX_CONNECTIONS:-}\" \"$@\" >\"$TOLD\"\n"
        )
        stand_in.chmod(0o755)
        environment = {key: value for key, value in os.environ.items() if key not in VARIABLES}
        environment["PATH"] = f"{stand_in.parent}:{environment['PATH']}"
        subprocess.run(
            [self.folder / "train.sh"], check=True, env={**environment, "TOLD": str(told), **variables}
        )
        connections, *words = told.read_text().split("\0")[:-1]
        return words, connections or None


def apart(answer):
    """The value of a function, from a process of its own whose output nobody sees."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(out)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        with os.fdopen(into, "w") as pipe:
            json.dump(answer(), pipe)
        os._exit(0)
    os.close(into)
    with os.fdopen(out) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    assert told, "the process ended without an answer"
    return json.loads(told)
