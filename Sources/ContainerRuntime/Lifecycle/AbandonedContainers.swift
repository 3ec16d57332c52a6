internal import LinuxSystem

/// What is left where `launch` was killed: the container's process ends with it (`CreateRequest.endsWithCaller`), but its
/// state and its cgroup stay, and processes that are not in a pid namespace of the container. The next launch clears them.
package enum AbandonedContainers {
    /// - Returns: the ids of those that were removed
    package static func remove(from root: StateRoot, _ warn: (String) -> Void) -> [String] {
        var removed: [String] = []
        for id in (try? root.containerIDs()) ?? [] {
            guard let record = try? root.open(id).readRecord(), let caller = record.caller, !caller.isAlive else {
                continue
            }
            do throws(RuntimeError) {
                try DeleteContainer.run(id, in: root, force: true, warn)
                removed.append(id.text)
            } catch {
                warn("the container \(id.text), whose swrun was killed, cannot be removed: \(error.message)")
            }
        }
        return removed
    }
}
