internal import CLinux
internal import Glibc
package import LinuxSystem

/// The way of a new process into the container's cgroups. It is opened by the runtime, which may be the only one with
/// the right to do so (the kernel goes by the rights of the opener), and used by the new process itself:
///
/// - v2: the process is born inside, `clone(..., intoCgroup: entrance.birthCgroup)`.
/// - v1: there is no such thing. `enter()`, called in the new process while it has one thread, writes "0" to each
///   `tasks` file. A process that moves only itself needs no lock on all forks and exits of the machine; moving another
///   process by `cgroup.procs` does, and waits for it 8 ms on an idle host, more than the rest of a create takes.
///
/// A cgroup namespace has the cgroups of its maker as its roots: it must be made after `enter()`, with unshare(2). A
/// clone(2) with CLONE_NEWCGROUP would show the runtime's own cgroup, in the v2 case as well.
package struct CgroupEntrance: ~Copyable {
    /// A directory of the unified hierarchy to be born in, or nil.
    package let birthCgroup: Int32?
    /// `tasks` of each v1 directory (and `cgroup.procs` of the v2 one where birth in it does not work).
    private let files: [Int32]

    init(birthCgroup: Int32?, files: [Int32]) {
        self.birthCgroup = birthCgroup
        self.files = files
    }

    /// What `enter()` needs to find open.
    package var descriptors: [Int32] { files }

    deinit {
        if let birthCgroup { _ = cl_close(birthCgroup) }
        for file in files { _ = cl_close(file) }
    }

    /// Moves the calling process, which has a single thread, into every cgroup that it was not born in.
    package borrowing func enter() throws(SystemError) {
        for file in files { try check(cl_write(file, "0", 1), "write", "the container's cgroup") }
    }
}

extension ContainerCgroup {
    /// The directory of the unified hierarchy that a process is to be born in.
    func openBirthplace() throws(RuntimeError) -> FileDescriptor? {
        guard let unified else { return nil }
        return try explain("cannot open the container's cgroup") { () throws(SystemError) in
            try openPlace(unified.path)
        }
    }

    /// Where a process enters that was born outside, or in the unified hierarchy only.
    ///
    /// - Parameter bornInside: whether it is in the cgroup of the unified hierarchy already
    func openGates(bornInside: Bool) throws(RuntimeError) -> CgroupEntrance {
        var others = self
        if bornInside, unified != nil { others.directories.removeLast() }
        return try others.openEntrance(birth: false)
    }

    /// - Parameter birth: false where a clone(2) into the v2 cgroup failed although the process may be moved there:
    ///   with EAGAIN, because `pids.max` counts forks and not moves, and before kernel 5.7.
    package func openEntrance(birth: Bool = true) throws(RuntimeError) -> CgroupEntrance {
        var born: Int32?
        var files: [Int32] = []
        files.reserveCapacity(directories.count)
        do {
            for directory in directories {
                if directory.isUnified && birth {
                    born = try openPlace(directory.path).release()
                } else {
                    let file = directory.isUnified ? "/cgroup.procs" : "/tasks"
                    files.append(try FileDescriptor.open(directory.path + file, .writeOnly).release())
                }
            }
        } catch {
            _ = CgroupEntrance(birthCgroup: born, files: files)
            throw RuntimeError("cannot open the container's cgroup", error)
        }
        return CgroupEntrance(birthCgroup: born, files: files)
    }
}

/// A directory of cgroups that leads nowhere else. The new process has it for a moment, perhaps in a pid namespace whose
/// other members may look into it: by its ".." they would get at the host's files. So where mounts may be made it is the
/// top of one that is attached nowhere.
private func openPlace(_ path: String) throws(SystemError) -> FileDescriptor {
    do throws(SystemError) {
        return try DetachedMount.clone(ofPath: path, recursive: false).intoDescriptor()
    } catch {
        guard error.errno == .notPermitted else { throw error }
        return try FileDescriptor.open(path, .directory)
    }
}
