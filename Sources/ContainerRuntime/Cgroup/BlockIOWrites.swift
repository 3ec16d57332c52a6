internal import RuntimeSpec

extension ControlWrites {
    mutating func add(_ blockIO: BlockIO) throws(RuntimeError) {
        if let weight = blockIO.weight, weight != 0 { addWeight("blockIO.weight", weight, device: nil) }
        let leaves = "drop it: only the I/O scheduler cfq, gone since kernel 5.0, knew it"
        try set(
            "blockIO.leafWeight", .blockIO, blockIO.leafWeight.unlessZero, v1: "blkio.leaf_weight", v2: nil,
            instead: leaves)
        for (index, device) in blockIO.weightDevice.enumerated() {
            let place = "blockIO.weightDevice[\(index)]"
            let number = "\(device.major):\(device.minor)"
            if let weight = device.weight { addWeight("\(place).weight", weight, device: number) }
            try set(
                "\(place).leafWeight", .blockIO, device.leafWeight.map { "\(number) \($0)" },
                v1: "blkio.leaf_weight_device", v2: nil, instead: leaves)
        }
        try addThrottles("throttleReadBpsDevice", blockIO.throttleReadBpsDevice, "read_bps", "rbps")
        try addThrottles("throttleWriteBpsDevice", blockIO.throttleWriteBpsDevice, "write_bps", "wbps")
        try addThrottles("throttleReadIOPSDevice", blockIO.throttleReadIOPSDevice, "read_iops", "riops")
        try addThrottles("throttleWriteIOPSDevice", blockIO.throttleWriteIOPSDevice, "write_iops", "wiops")
    }

    /// The scheduler bfq has files of its own, with the scale of v1; v2's own weights have another one.
    private mutating func addWeight(_ property: String, _ weight: UInt16, device: String?) {
        let prefix = device.map { "\($0) " } ?? ""
        let choices =
            isUnified(.blockIO)
            ? [
                ControlWrite.Choice(file: "io.bfq.weight", text: "\(prefix)\(weight)"),
                ControlWrite.Choice(file: "io.weight", text: "\(prefix)\(ioWeight(ofBlockIOWeight: weight))"),
            ]
            : ["blkio.bfq.weight", "blkio.weight"].map {
                ControlWrite.Choice(file: device == nil ? $0 : "\($0)_device", text: "\(prefix)\(weight)")
            }
        add(property, .blockIO, choices)
    }

    /// A rate of 0 takes a limit away.
    private mutating func addThrottles(
        _ property: String, _ devices: [ThrottleDevice], _ v1: String, _ v2: String
    ) throws(RuntimeError) {
        for (index, device) in devices.enumerated() {
            let number = "\(device.major):\(device.minor)"
            let text =
                isUnified(.blockIO)
                ? "\(number) \(v2)=\(device.rate == 0 ? "max" : "\(device.rate)")" : "\(number) \(device.rate)"
            try set(
                "blockIO.\(property)[\(index)]", .blockIO, text, v1: "blkio.throttle.\(v1)_device", v2: "io.max")
        }
    }
}
