/// A process, told apart from a later one with the same number.
package struct ProcessMark: Equatable, Sendable {
    package let pid: Int32
    /// Field 22 of /proc/PID/stat (proc(5)).
    package let startTime: UInt64

    package init(pid: Int32, startTime: UInt64) {
        self.pid = pid
        self.startTime = startTime
    }

    /// - Parameter pid: of a process that there is; another number is the mark of none
    package init(_ pid: Int32) { self.init(pid: pid, startTime: processStartTime(pid) ?? 0) }

    package static var current: ProcessMark { ProcessMark(currentProcessID()) }

    package var isAlive: Bool { processStartTime(pid) == startTime }
}
