internal import LinuxSystem
internal import RuntimeSpec

extension ContainerImage {
    /// What config.json is to say: image-spec, conversion.md.
    ///
    /// - Parameter rootfs: the unpacked tree, in which names of users are looked up.
    func facts(
        _ rootfs: borrowing FileDescriptor, _ work: Work, format: SourceKind
    ) throws(BundleError) -> ImageFacts {
        var facts = ImageFacts()
        let identity = try UserDatabase(in: rootfs).identity(configuration.user)
        (facts.uid, facts.gid, facts.additionalGids) = (identity.uid, identity.gid, identity.additionalGids)
        facts.args = work.request.command ?? configuration.entrypoint + configuration.command
        facts.cwd = try workingDirectory(in: rootfs)
        facts.env = environment(home: identity.home)
        facts.hostname = work.request.hostname
        facts.annotations = annotations(work.request, format)
        return facts
    }

    /// Made where the layers lack it, as engines do; the program could not be started otherwise.
    private func workingDirectory(in rootfs: borrowing FileDescriptor) throws(BundleError) -> String {
        guard let path = configuration.workingDirectory, path != "/" else { return "/" }
        let absolute = path.utf8.first == UInt8(ascii: "/") ? path : "/" + path
        _ = try explain("cannot make the working directory \(shown(absolute.utf8))") { () throws(SystemError) in
            try RootDirectory(try rootfs.duplicate()).openMaking(.directory, absolute)
        }
        return absolute
    }

    /// The image's, and what no program is started without.
    private func environment(home: String?) -> [String] {
        var env = configuration.env.filter { $0.utf8.contains(UInt8(ascii: "=")) }
        if !env.contains(where: { $0.hasPrefix("PATH=") }) {
            env.insert("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", at: 0)
        }
        if let home, !env.contains(where: { $0.hasPrefix("HOME=") }) { env.append("HOME=\(home)") }
        return env
    }

    /// What the image says of itself goes before what is concluded here.
    private func annotations(_ request: BundleRequest, _ format: SourceKind) -> [KeyValue] {
        var list = configuration.labels.filter { !$0.key.isEmpty }
        func add(_ key: String, _ value: String?) {
            if let value, !value.isEmpty, list[key] == nil { list.append(KeyValue(key, value)) }
        }
        let image = "org.opencontainers.image."
        add(image + "os", platform.os)
        add(image + "architecture", platform.architecture)
        add(image + "variant", platform.variant)
        add(image + "os.version", configuration.osVersion)
        add(image + "os.features", configuration.osFeatures.joined(separator: ","))
        add(image + "author", configuration.author)
        add(image + "created", configuration.created)
        add(image + "stopSignal", configuration.stopSignal)
        add(image + "exposedPorts", configuration.exposedPorts.sorted().joined(separator: ","))
        add("swrun.source.path", request.image)
        add("swrun.source.format", format.rawValue)
        add("swrun.source.name", name)
        add("swrun.source.digest", digest?.description)
        return list
    }
}
