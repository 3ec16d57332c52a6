/// A seccomp profile in a file of its own: the object that `linux.seccomp` in config.json is.
///
/// Engines keep templates that look like it, of which they choose the parts that suit a machine and a container's
/// capabilities. Taken as a profile, such a template would allow all that its conditions are there to deny.
package struct SeccompProfile: JSONDecodable {
    package let seccomp: Seccomp

    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        let isTemplate: Bool? = try object.optional("archMap") { (_) throws(SpecError) in true }
        let conditions: [Condition] = try object.list("syscalls")
        guard isTemplate == nil, !conditions.contains(where: \.isSet) else {
            throw SpecError(
                .invalid, "this is an engine's template, with archMap, includes and excludes",
                expected: "expected the filter of one container, as config.json has it")
        }
        seccomp = try Seccomp(json: json)
    }

    private struct Condition: JSONDecodable {
        let isSet: Bool

        init(json: JSONValue) throws(SpecError) {
            let rule = try json.object()
            let includes: Members? = try rule.optional("includes")
            let excludes: Members? = try rule.optional("excludes")
            isSet = includes?.isEmpty == false || excludes?.isEmpty == false
        }
    }

    private struct Members: JSONDecodable {
        let isEmpty: Bool

        init(json: JSONValue) throws(SpecError) {
            let object = try json.object()
            let arches: Bool? = try object.optional("arches") { (_) throws(SpecError) in true }
            let caps: Bool? = try object.optional("caps") { (_) throws(SpecError) in true }
            let kernel: Bool? = try object.optional("minKernel") { (_) throws(SpecError) in true }
            isEmpty = arches == nil && caps == nil && kernel == nil
        }
    }
}
