internal import CLinux
internal import Glibc

/// The path of an open file as the runtime's own /proc tells it: without links, as the mount table has it.
package func hostPath(of file: borrowing FileDescriptor) throws(SystemError) -> String {
    try hostPath(ofDescriptor: file.rawValue)
}

package func hostPath(ofDescriptor number: Int32) throws(SystemError) -> String {
    try readLink("\(number)", at: try FileDescriptor.open("/proc/self/fd", [.path, .directory]))
}

/// A path of the host made absolute and free of ".", ".." and doubled slashes, without looking at links.
package func absolutePath(_ path: String) throws(SystemError) -> String {
    let full = path.utf8.first == UInt8(ascii: "/") ? path : try currentDirectoryPath() + "/" + path
    var components: [String] = []
    for name in pathComponents(full) {
        if name == ".." { _ = components.popLast() } else { components.append(name) }
    }
    return "/" + joinPath(components)
}
