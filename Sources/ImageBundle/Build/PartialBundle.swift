internal import LinuxSystem

/// A bundle in the making: a directory beside its later place, which gets its name when it is whole. Whoever sees the name
/// sees a complete bundle.
struct PartialBundle: ~Copyable {
    /// The directory in which the bundle will be.
    private let parent: FileDescriptor
    /// The bundle's name in it, and the name until it is whole.
    private let name: String
    private let partialName: String
    let directory: FileDescriptor
    let rootfs: FileDescriptor
    /// The absolute path that the bundle will have.
    let path: String
    private let registry: ImageRegistry?
    private let partialPath: String

    /// What the names of unfinished bundles have in common.
    static let mark = ".partial-"

    static func isMarked(_ path: String) -> Bool {
        path.split(separator: "/").last?.split(separator: ".").last?.hasPrefix(mark.dropFirst()) == true
    }

    static func make(at output: String, _ registry: ImageRegistry?) throws(BundleError) -> PartialBundle {
        let what = "cannot make the bundle \(output)"
        let path = try explain(what) { () throws(SystemError) in try absolutePath(output) }
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), path != "/" else {
            throw BundleError("\(output): cannot be a bundle")
        }
        let name = String(path[path.utf8.index(after: slash)...])
        let parentPath = slash == path.startIndex ? "/" : String(path[..<slash])
        let partialName = "\(name)\(mark)\(try randomText())"
        let partialPath = (parentPath == "/" ? "" : parentPath) + "/" + partialName
        var made = false
        do throws(SystemError) {
            let parent = try FileDescriptor.open(parentPath, .directory)
            guard try fileStatus(name, at: parent.rawValue, followLinks: false) == nil else { throw nameIsTaken }
            // Only the owner may enter: the image's set-user-id programs and devices are not for the host's users.
            registry?.add(.partial, partialPath)
            try parent.makeDirectory(partialName, mode: 0o700)
            made = true
            let directory = try FileDescriptor.open(partialName, .directoryItself, at: parent.rawValue)
            // What is in the bundle has only what the image gives it.
            try directory.disinherit(mode: 0o700)
            try directory.makeDirectory("rootfs")
            let rootfs = try FileDescriptor.open("rootfs", .directoryItself, at: directory.rawValue)
            return PartialBundle(
                parent: parent, name: name, partialName: partialName, directory: directory, rootfs: rootfs, path: path,
                registry: registry, partialPath: partialPath)
        } catch {
            if made, let parent = try? FileDescriptor.open(parentPath, .directory) {
                try? parent.remove("\(partialName)/rootfs", directory: true)
                try? parent.remove(partialName, directory: true)
            }
            registry?.remove(partialPath)
            if error == nameIsTaken { throw exists(output) }
            throw BundleError(
                what, error, hint: error.errno == .noEntry ? "the directory above it must exist" : nil)
        }
    }

    private static let nameIsTaken = SystemError("stat", "", .exists)

    /// Gives the bundle its name.
    borrowing func complete() throws(BundleError) {
        do throws(SystemError) {
            try parent.rename(partialName, toNew: name)
            registry?.remove(partialPath)
        } catch {
            if error.errno == .exists { throw Self.exists(path) }
            throw BundleError("cannot make the bundle \(path)", error)
        }
    }

    /// Removes everything that was made.
    borrowing func undo(_ warn: (String) -> Void) {
        do throws(SystemError) {
            try removeByteTree(in: directory)
            try parent.remove(partialName, directory: true)
            registry?.remove(partialPath)
        } catch {
            warn("cannot remove \(partialName), the unfinished bundle: \(error.text)")
        }
    }

    private static func exists(_ output: String) -> BundleError {
        BundleError("\(output): exists already", hint: "choose another directory, or remove it")
    }
}

/// Text for a name that nobody else has.
package func randomText() throws(BundleError) -> String {
    let bytes = try explain("cannot get random numbers") { () throws(SystemError) in try randomBytes(6) }
    let letters = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
    return String(decoding: bytes.map { letters[Int($0 & 31)] }, as: UTF8.self)
}
