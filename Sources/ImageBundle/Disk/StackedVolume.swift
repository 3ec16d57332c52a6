internal import Glibc
internal import LinuxSystem

/// Several filesystems of an image one upon the other, as overlayfs shows them: the layers of a live medium, with the marks
/// in the upper ones of what they take away from the lower.
enum StackedVolume {
    /// An overlay wants its layers by their paths. They get them in a process with a mount namespace of its own, whose end
    /// takes them away; what is left is the overlay, a descriptor.
    ///
    /// - Parameters:
    ///   - file: an open file that holds the filesystems
    ///   - places: where in it they are, in bytes, the lowest first
    ///   - probe: what the uppermost is
    static func mount(
        _ file: Int32, _ image: String, _ places: [(offset: UInt64, size: UInt64)], _ probe: FilesystemProbe,
        name: String
    ) throws(BundleError) -> MountedVolume {
        let what = "\(image): cannot stack the layers of \(name)"
        let (ours, theirs) = try explain(what) { () throws(SystemError) in try MessageSocket.pair() }
        let socket = MessageSocket(FileDescriptor(owning: ours))
        let child = try explain(what, hint: rootHint) { () throws(SystemError) in
            defer { closeDescriptor(theirs) }
            switch try cloneHelper([.mount]) {
            case .parent(let child): return child
            case .child:
                let answer = MessageSocket(FileDescriptor(owning: theirs))
                do throws(BundleError) {
                    let overlay = try stack(file, image, places, probe, name: name)
                    try explain(what) { () throws(SystemError) in
                        try answer.send([0], passing: overlay.descriptor.rawValue)
                    }
                } catch {
                    try? answer.send(Array(error.message.utf8.prefix(4000)))
                }
                exitNow(0)
            }
        }
        let (message, descriptor) = try explain(what) { () throws(SystemError) in
            let answer = try socket.receiveWithDescriptor(limit: 4096)
            _ = try waitForEnd(of: child.pid)
            return answer
        }
        guard let descriptor else {
            throw BundleError(message.isEmpty ? what : String(decoding: message, as: UTF8.self))
        }
        return MountedVolume(RootDirectory(FileDescriptor(owning: descriptor)), probe)
    }

    private static let rootHint = "reading disk images needs root"

    private static func stack(
        _ file: Int32, _ image: String, _ places: [(offset: UInt64, size: UInt64)], _ probe: FilesystemProbe,
        name: String
    ) throws(BundleError) -> DetachedMount {
        let what = "\(image): cannot stack the layers of \(name)"
        let room = try explain(what) { () throws(SystemError) in
            try setPropagation(.private, ofEverythingBelow: "/")
            let context = try FilesystemContext(type: "tmpfs")
            try context.set(option: "size=1m")
            let room = try context.mount([.noSetUserID, .noDevices, .noExecution]).intoDescriptor()
            // Any directory serves: nobody else sees it.
            try DetachedMount(try room.duplicate()).attach(to: try FileDescriptor.open("/proc", [.path, .directory]))
            return RootDirectory(room)
        }
        for (index, place) in places.enumerated() {
            let mounted = try MountedVolume.mount(
                file, image, offset: place.offset, size: place.size, probe, name: name)
            try explain(what) { () throws(SystemError) in
                try mounted.attach(to: try room.openMaking(.directory, "\(index)"))
            }
        }
        return try explain(what) { () throws(SystemError) in
            try enterDirectory(room.descriptor)
            let context = try FilesystemContext(type: "overlay")
            try context.set(source: "swrun")
            try context.set(option: "ro")
            // The uppermost first.
            try context.set(option: "lowerdir=\(places.indices.reversed().map { "\($0)" }.joined(separator: ":"))")
            // One number for one file, whichever layer it is of: copies of hard links are found by it.
            try context.set(option: "xino=on")
            return try context.mount([.readOnly, .noSetUserID, .noDevices, .noExecution, .noAccessTime])
        }
    }
}
