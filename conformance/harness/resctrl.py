"""A file system that stands in for resctrl on machines without the hardware: `python3 resctrl.py DIRECTORY`.

It behaves as the kernel documents it (Documentation/filesystems/resctrl.rst) for a machine with two caches: a directory
that is made has the files of a group at once, a line of `schemata` is taken or refused as a whole, a task is in one
group, and there are only so many groups.
"""

import errno
import stat
import sys
import time

import fusepy as fuse

CLASSES = 4
MONITORS = 4
MASK = 0x7FF
DOMAINS = ("0", "1")


class Group:
    def __init__(self, monitors=True):
        self.values = {"L3": {d: MASK for d in DOMAINS}, "L2": {d: 0xFF for d in DOMAINS},
                       "MB": {d: 100 for d in DOMAINS}}
        self.tasks: set[int] = set()
        self.monitors: dict[str, "Group"] = {}

    @property
    def schemata(self) -> str:
        lines = []
        for resource, values in self.values.items():
            texts = [f"{d}={value}" if resource == "MB" else f"{d}={value:03x}" for d, value in values.items()]
            lines.append(f"    {resource}:" + ";".join(texts))
        return "\n".join(lines) + "\n"


class Refused(Exception):
    pass


class Resctrl(fuse.Operations):
    def __init__(self):
        self.groups = {"": Group()}
        self.status = "ok"
        self.written: list[str] = []

    # The tree

    def _find(self, path: str):
        """(group, monitoring group or None, rest of the path)"""
        words = path.strip("/").split("/") if path != "/" else []
        name = ""
        if words and words[0] in self.groups:
            name = words.pop(0)
        group = self.groups[name]
        if len(words) >= 2 and words[0] == "mon_groups" and words[1] in group.monitors:
            return group, group.monitors[words[1]], words[2:]
        return group, None, words

    def _content(self, path: str) -> str | None:
        group, monitor, rest = self._find(path)
        whose = monitor or group
        match rest:
            case ["schemata"] if not monitor:
                return group.schemata
            case ["tasks"]:
                return "".join(f"{task}\n" for task in sorted(whose.tasks) if self._lives(task))
            case ["mon_data", ("mon_L3_00" | "mon_L3_01"), "llc_occupancy"]:
                return f"{1000 + len(whose.tasks)}\n"
            case ["mon_data", ("mon_L3_00" | "mon_L3_01"), ("mbm_total_bytes" | "mbm_local_bytes")]:
                return "4096\n"
            case ["info", *words] if group is self.groups[""]:
                return {"last_cmd_status": self.status + "\n", "L3/cbm_mask": "7ff\n", "L3/min_cbm_bits": "1\n",
                        "L3/num_closids": f"{CLASSES}\n", "MB/bandwidth_gran": "10\n", "MB/delay_linear": "1\n",
                        "MB/min_bandwidth": "10\n", "MB/num_closids": f"{CLASSES}\n",
                        "written": "".join(self.written)}.get("/".join(words))
        return None

    def _entries(self, path: str) -> list[str] | None:
        group, monitor, rest = self._find(path)
        is_root = group is self.groups[""] and not monitor
        match rest:
            case []:
                own = ["tasks", "mon_data"] + ([] if monitor else ["schemata", "mon_groups"])
                return own + (["info", *filter(None, self.groups)] if is_root else [])
            case ["mon_groups"] if not monitor:
                return list(group.monitors)
            case ["mon_data"]:
                return ["mon_L3_00", "mon_L3_01"]
            case ["mon_data", ("mon_L3_00" | "mon_L3_01")]:
                return ["llc_occupancy", "mbm_total_bytes", "mbm_local_bytes"]
            case ["info"] if is_root:
                return ["last_cmd_status", "written", "L3", "MB"]
            case ["info", "L3"] if is_root:
                return ["cbm_mask", "min_cbm_bits", "num_closids"]
            case ["info", "MB"] if is_root:
                return ["bandwidth_gran", "delay_linear", "min_bandwidth", "num_closids"]
        return None

    @staticmethod
    def _lives(task: int) -> bool:
        try:
            with open(f"/proc/{task}/stat") as file:
                return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
        except OSError:
            return False

    # What the kernel asks

    def getattr(self, path, fh=None):
        now = time.time()
        common = {"st_uid": 0, "st_gid": 0, "st_atime": now, "st_mtime": now, "st_ctime": now}
        if self._entries(path) is not None:
            return common | {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        content = self._content(path)
        if content is None:
            raise fuse.FuseOSError(errno.ENOENT)
        return common | {"st_mode": stat.S_IFREG | 0o644, "st_nlink": 1, "st_size": len(content)}

    def readdir(self, path, fh):
        for name in self._entries(path) or []:
            yield name, self.getattr(f"{path.rstrip('/')}/{name}"), 0

    def read(self, path, size, offset, fh):
        return (self._content(path) or "").encode()[offset:offset + size]

    def truncate(self, path, length, fh=None):
        pass

    def mkdir(self, path, mode):
        *above, name = path.strip("/").split("/")
        if not above:
            if len(self.groups) >= CLASSES:
                self._refuse("out of CLOSIDs", errno.ENOSPC)
            self.groups[name] = Group()
        elif above[-1] == "mon_groups" and len(above) <= 2:
            group = self.groups["" if len(above) == 1 else above[0]]
            if sum(len(g.monitors) for g in self.groups.values()) >= MONITORS:
                self._refuse("out of RMIDs", errno.ENOSPC)
            group.monitors[name] = Group()
        else:
            self._refuse("not a place for groups", errno.EPERM)

    def rmdir(self, path):
        *above, name = path.strip("/").split("/")
        if not above and name in self.groups:
            self.groups[""].tasks |= self.groups.pop(name).tasks
        elif above and above[-1] == "mon_groups":
            self.groups["" if len(above) == 1 else above[0]].monitors.pop(name)
        else:
            self._refuse("not a group", errno.EPERM)

    def write(self, path, data, offset, fh):
        group, monitor, rest = self._find(path)
        text = data.decode()
        self.status = "ok"
        if rest == ["schemata"] and not monitor:
            self._set(group, text)
        elif rest == ["tasks"]:
            self._move(int(text), group, monitor)
        else:
            self._refuse("cannot be written", errno.EACCES)
        self.written.append(f"{path} {text.strip()}\n")
        return len(data)

    def _refuse(self, why: str, code: int):
        self.status = why
        raise fuse.FuseOSError(code)

    def _set(self, group: Group, text: str):
        if not text.endswith("\n"):
            self._refuse("no newline", errno.EINVAL)
        new = {resource: dict(values) for resource, values in group.values.items()}
        for line in text.splitlines():
            resource, _, pairs = line.partition(":")
            if resource not in new:
                self._refuse(f"unknown or unsupported resource name '{resource}'", errno.EINVAL)
            for pair in pairs.split(";"):
                domain, _, value = pair.partition("=")
                if domain not in DOMAINS:
                    self._refuse("unknown domain", errno.EINVAL)
                try:
                    number = int(value, 10 if resource == "MB" else 16)
                except ValueError:
                    self._refuse(f"non-hex character in the mask {value}", errno.EINVAL)
                if resource == "MB":
                    if not 10 <= number <= 100:
                        self._refuse(f"MB value {number} out of range [10,100]", errno.EINVAL)
                    number = -(-number // 10) * 10
                elif not 0 < number <= MASK or "0" in bin(number)[2:].rstrip("0"):
                    self._refuse(f"mask out of range or not consecutive: {value}", errno.EINVAL)
                new[resource][domain] = number
        group.values = new

    def _move(self, task: int, group: Group, monitor: Group | None):
        if monitor and task not in group.tasks:
            self._refuse("can't move task to different control group", errno.EINVAL)
        if not monitor:
            for other in self.groups.values():
                other.tasks.discard(task)
                for inner in other.monitors.values():
                    inner.tasks.discard(task)
            group.tasks.add(task)
        else:
            monitor.tasks.add(task)


if __name__ == "__main__":
    fuse.FUSE(Resctrl(), sys.argv[1], foreground=True, nothreads=True, direct_io=True, fsname="resctrl", attr_timeout=0,
              entry_timeout=0, negative_timeout=0)
