internal import CLinux
internal import Glibc

/// A path of the host made absolute and free of ".", ".." and doubled slashes, without looking at links.
package func absolutePath(_ path: String) throws(SystemError) -> String {
    let full = path.utf8.first == UInt8(ascii: "/") ? path : try currentDirectoryPath() + "/" + path
    var components: [Substring] = []
    for component in full.split(separator: "/") where component != "." {
        if component == ".." { _ = components.popLast() } else { components.append(component) }
    }
    return "/" + components.joined(separator: "/")
}
