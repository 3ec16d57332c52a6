internal import LinuxSystem
package import RuntimeSpec

/// The `state` operation (runtime.md, "Query State"), and the list of all containers.
package enum QueryState {
    package static func one(_ id: ContainerID, in root: StateRoot) throws(RuntimeError) -> State {
        let state = try root.open(id)
        let record = try state.readRecord()
        return record.state(state.status(of: record))
    }

    /// What is deleted meanwhile is left out.
    package static func all(in root: StateRoot) throws(RuntimeError) -> [State] {
        var states: [State] = []
        for id in try root.containerIDs() {
            if let state = try? one(id, in: root) { states.append(state) }
        }
        return states
    }
}
