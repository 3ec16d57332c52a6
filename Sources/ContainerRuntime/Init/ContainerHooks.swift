internal import LinuxSystem
internal import RuntimeSpec

/// The hooks that run in the container's namespaces (config.md): `createContainer` before the root is changed, so that
/// their paths are the host's; `startContainer` inside.
func runContainerHooks(_ name: HookName, _ plan: InitPlan) throws(RuntimeError) {
    var state = plan.record.state(name == .createContainer ? .creating : .created)
    state.pid = Int(currentProcessID())  // as seen in the container
    defer { restoreSignal(SignalNumber.pipe) }
    let directory = name == .createContainer ? plan.record.bundle : nil
    try HookRunner(name, plan.config.hooks, state, directory: directory, plan.config.annotations).run()
}
