internal import CLinux
internal import ContainerRuntime
internal import Glibc
internal import LinuxSystem

/// Writes the whole text with one call of write(2), or as many as a slow pipe makes of it.
func write(_ text: String, to descriptor: Int32) throws(SystemError) {
    var text = text
    let result = text.withUTF8 { bytes in
        var rest = UnsafeRawBufferPointer(bytes)
        while !rest.isEmpty {
            let count = cl_write(descriptor, rest.baseAddress, rest.count)
            if count == -Int(EINTR) { continue }
            if count < 0 { return count }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
        return 0
    }
    try check(result, "write")
}

/// Writes a command's result to stdout. A result that did not arrive is an error: `state > /full/disk`.
func output(_ text: String) throws(RuntimeError) {
    do throws(SystemError) {
        try write(text, to: 1)
    } catch {
        throw RuntimeError("cannot print the result", error)
    }
}
