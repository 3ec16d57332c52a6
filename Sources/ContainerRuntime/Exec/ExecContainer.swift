internal import LinuxSystem
internal import RuntimeSpec

/// `exec`: adds a process to a running container. As seen by the process that was asked for it; the inside of the same
/// story is `ExecProcess`.
///
///     exec                       in between                    the new process
///     state, config.json, plan
///     clone  ----------------->  limits that the host may set
///                                namespaces, in one setns
///                                clone, as a child of exec -->  cgroups, the rest of the namespaces, a session
///     pid   <------------------  ends                           terminal, directory, settings
///     listener <----------------------------------------------  credentials, filter
///     pid file <----------------------------------------------  execve: end of file; or what failed
///
/// The one in between spares `exec` the container's namespaces, and is in them before anybody in the container can see the
/// new process: from its first moment there its root is the container's.
package enum ExecContainer {
    /// - Parameter started: called when the process runs and this one stays with it
    /// - Returns: the exit status of the process, or 0 when detached
    /// - Throws: what went wrong, with the exit status 255 that engines know as "could not be executed"
    package static func run(
        _ request: ExecRequest, started: () -> Void, _ warn: (String) -> Void
    ) throws(RuntimeError) -> Int32 {
        do throws(RuntimeError) {
            var host = try ExecHost(request, warn)
            do throws(RuntimeError) {
                try host.giveBirth()
                try host.converse(warn)
                try host.publish()
            } catch {
                host.undo()
                throw error
            }
            if request.detached { return 0 }
            started()
            return try host.stay()
        } catch {
            // "exec failed" is what engines pass on, and what those who read their logs look for.
            throw RuntimeError("exec failed: \(error.message)", exitCode: error.exitCode == 1 ? 255 : error.exitCode)
        }
    }
}
