internal import CLinux
internal import Glibc

/// A loop device: a part of a file as a block device, which the kernel gives back when its last user is gone (loop(4),
/// LO_FLAGS_AUTOCLEAR).
package struct LoopDevice: ~Copyable {
    package let number: Int
    package let descriptor: FileDescriptor

    package var path: String { "/dev/loop\(number)" }

    /// - Parameters:
    ///   - offset: where the device begins in the file, in bytes
    ///   - size: its size in bytes; 0: to the end of the file
    ///   - name: what tools show as the file's name
    ///   - isWritable: whether the device can be written; then so can the file
    package static func attach(
        _ file: Int32, offset: UInt64 = 0, size: UInt64 = 0, name: String, isWritable: Bool = false
    ) throws(SystemError) -> LoopDevice {
        let control = try FileDescriptor.open("/dev/loop-control", .readWrite)
        // Between asking for a free one and taking it, somebody else may.
        for _ in 0..<64 {
            let number = try check(Int(cl_loop_free(control.rawValue)), "ioctl LOOP_CTL_GET_FREE")
            let path = "/dev/loop\(number)"
            try makeNodeIfMissing(path, number)
            let device = try FileDescriptor.open(path, isWritable ? .readWrite : .readOnly)
            let flags: UInt32 = isWritable ? 4 : 1 | 4  // LO_FLAGS_READ_ONLY, LO_FLAGS_AUTOCLEAR
            let result = Int(cl_loop_configure(device.rawValue, file, offset, size, flags, name))
            if result == -Int(EBUSY) { continue }
            try check(result, "ioctl LOOP_CONFIGURE", path)
            return LoopDevice(number: number, descriptor: device)
        }
        throw SystemError("ioctl LOOP_CONFIGURE", "", .busy)
    }

    /// A container's /dev does not get the nodes of new devices by itself.
    private static func makeNodeIfMissing(_ path: String, _ number: Int) throws(SystemError) {
        guard try fileStatus(path) == nil else { return }
        let loopMajor: UInt32 = 7
        let result = Int(cl_mknodat(CL_AT_FDCWD, path, CL_S_IFBLK | 0o600, cl_makedev(loopMajor, UInt32(number))))
        if result != -Int(EEXIST) { try check(result, "mknod", path) }
    }
}

extension FileDescriptor {
    /// The bytes in use in the filesystem that the file lies on, statfs(2).
    package borrowing func usedBytes() throws(SystemError) -> UInt64 {
        var status = statfs()
        try check(cl_fstatfs(rawValue, &status), "fstatfs")
        let used = UInt64(status.f_blocks) - min(UInt64(status.f_bfree), UInt64(status.f_blocks))
        return used.multipliedReportingOverflow(by: UInt64(status.f_bsize)).partialValue
    }

    /// The flags of the btrfs subvolume that this directory is the root of (BTRFS_IOC_SUBVOL_GETFLAGS); nil elsewhere.
    package borrowing func btrfsSubvolumeFlags() -> UInt64? {
        var flags: UInt64 = 0
        let request: UInt = 0x8008_9419
        let result = withUnsafeMutablePointer(to: &flags) {
            Int(cl_ioctl(rawValue, request, UInt(bitPattern: UnsafeMutableRawPointer($0))))
        }
        return result < 0 ? nil : flags
    }
}
