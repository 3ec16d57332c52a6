/// One member of a tar archive, with everything that its headers say.
package struct TarEntry: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        case regular, directory, symbolicLink, hardLink, fifo
        case characterDevice, blockDevice
    }

    /// A piece of a file with holes.
    package struct Segment: Equatable, Sendable {
        package let offset: UInt64
        package let count: UInt64
    }

    /// As written: `..`, a leading slash and doubled ones are still in it.
    package var path: [UInt8] = []
    package var kind: Kind = .regular
    /// Of a symbolic link the text, of a hard link the path of the other name.
    package var link: [UInt8] = []
    /// The permission bits, 0 to 0o7777.
    package var mode: UInt32 = 0
    package var uid: UInt32 = 0
    package var gid: UInt32 = 0
    /// Of the file, holes included.
    package var size: UInt64 = 0
    package var modified = Timestamp(seconds: 0)
    package var accessed: Timestamp?
    package var attributes: [ExtendedAttribute] = []
    package var major: UInt32 = 0
    package var minor: UInt32 = 0
    /// nil: the file has no holes.
    package var segments: [Segment]?

    package init() {}
}
